select head, final, revision from claims_followed
