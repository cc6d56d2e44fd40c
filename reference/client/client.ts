/**
 * A client whose requests and answers have the types that the API's OpenAPI document gives
 * them. `schema.ts` is generated from api/openapi.json (`make generate`).
 */
import type { components, paths } from "./schema.js";

export type Problem = components["schemas"]["Problem"];

type Method = "get" | "post";

/** Paths that have the method. */
export type PathOf<M extends Method> = { [P in keyof paths]: paths[P][M] extends { responses: unknown } ? P : never }[keyof paths];

type Operation<P extends keyof paths, M extends Method> = NonNullable<paths[P][M]>;

type ParametersOf<O> = O extends { parameters: infer A }
  ? { [K in keyof A as A[K] extends object | undefined ? (undefined extends A[K] ? ([Exclude<A[K], undefined>] extends [never] ? never : K) : K) : never]: A[K] }
  : never;

type BodyOf<O> = O extends { requestBody: { content: { "application/json": infer B } } } ? { body: B } : { body?: never };

/** Parameters by place, and the body where there is one. */
export type Request<P extends keyof paths, M extends Method> = ParametersOf<Operation<P, M>> & BodyOf<Operation<P, M>>;

type ContentOf<R> = R extends { content: infer C } ? C[keyof C] : never;

/** Every documented answer, told apart by its status. */
export type Answer<P extends keyof paths, M extends Method> =
  Operation<P, M> extends { responses: infer R } ? { [S in keyof R]: { status: S; body: ContentOf<R[S]> } }[keyof R] : never;

type Places = { path?: Record<string, string>; query?: Record<string, string | undefined>; body?: unknown };

export class Client {
  constructor(
    private readonly base: string,
    private readonly fetcher: typeof fetch = fetch,
  ) {}

  get<P extends PathOf<"get">>(path: P, request: Request<P, "get">): Promise<Answer<P, "get">> {
    return this.send("GET", path, request as Places) as Promise<Answer<P, "get">>;
  }

  post<P extends PathOf<"post">>(path: P, request: Request<P, "post">): Promise<Answer<P, "post">> {
    return this.send("POST", path, request as Places) as Promise<Answer<P, "post">>;
  }

  private async send(method: string, template: string, request: Places): Promise<unknown> {
    const path = template.replace(/\{(\w+)\}/g, (_, name: string) => {
      const value = request.path?.[name];
      if (value === undefined) throw new Error(`${template}: no value for ${name}`);
      return encodeURIComponent(value);
    });
    const url = new URL(path, this.base);
    for (const [name, value] of Object.entries(request.query ?? {})) if (value !== undefined) url.searchParams.set(name, value);
    const init: RequestInit = { method };
    if (request.body !== undefined) {
      init.body = JSON.stringify(request.body);
      init.headers = { "Content-Type": "application/json" };
    }
    const answer = await this.fetcher(url, init);
    const media = answer.headers.get("Content-Type") ?? "";
    return { status: answer.status, body: /json$/.test(media) ? await answer.json() : await answer.text() };
  }
}
