// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IVerifier} from "./IVerifier.sol";

/// @title Verifiers and operators, changed only behind a timelock
/// @notice Entries (circuit, shape, version) → (verifier, key hash) are never changed or removed.
/// The governor proposes, waits for `delay` seconds, activates within ACTIVATION_WINDOW; what waits
/// is public. Whoever does not like it has the delay to leave.
/// @dev An address alone does not fix a verifier: delegated accounts (EIP-7702) and contracts that
/// destroyed themselves in the transaction of their creation can get other code. So a proposal is for
/// the code that the verifier has then, and an entry holds its hash. The registry cannot tell
/// code that forwards to a mutable address: read what is proposed.
abstract contract Registry {
    /// @notice One verifying key for one circuit and shape. Names are ASCII, padded right with zeros.
    struct Registration {
        bytes32 circuit;
        bytes32 shape;
        uint32 version;
        IVerifier verifier;
        bytes32 keyHash;
    }

    /// @notice What the registry stores for an id.
    struct Entry {
        IVerifier verifier;
        bytes32 keyHash;
        bytes32 codeHash;
    }

    /// @notice Configuration at deployment.
    struct Config {
        address governor;
        uint256 delay;
        bool unsafeDevKeys;
        address[] operators;
        Registration[] registrations;
    }

    /// @notice A verifier was registered, for ever.
    event VerifierRegistered(
        bytes32 indexed circuit, bytes32 indexed shape, uint32 indexed version, IVerifier verifier, bytes32 keyHash
    );
    /// @notice An operator was admitted or removed.
    event OperatorSet(address indexed operator, bool allowed);
    /// @notice A registration waits until `readyAt` (Unix seconds).
    event VerifierProposed(bytes32 indexed proposal, Registration registration, uint256 readyAt);
    /// @notice A change of the operators waits until `readyAt` (Unix seconds).
    event OperatorProposed(bytes32 indexed proposal, address operator, bool allowed, uint256 readyAt);
    /// @notice A waiting proposal was withdrawn.
    event Cancelled(bytes32 indexed proposal);

    /// @notice Only the governor proposes, activates and cancels.
    error NotGovernor(address sender);
    /// @notice The entry exists; entries are append-only, take the next version.
    error EntryExists(bytes32 circuit, bytes32 shape, uint32 version);
    /// @notice The verifier on chain has another key than the registration says.
    error KeyHashMismatch(bytes32 got, bytes32 want);
    /// @notice The proposal waits already.
    error AlreadyProposed(bytes32 proposal);
    /// @notice There is no such proposal.
    error NotProposed(bytes32 proposal);
    /// @notice The proposal's time has not come.
    error TooEarly(uint256 readyAt);
    /// @notice The proposal was not activated in time; propose it again.
    error TooLate(uint256 expiredAt);
    /// @notice A delay below the minimum is for deployments with unsafe-dev keys only.
    error DelayTooShort(uint256 delay, uint256 minimum);
    /// @notice A delay so long that nothing could ever be activated.
    error DelayTooLong(uint256 delay, uint256 maximum);
    /// @notice An address that must not be zero is zero, or the list of operators is empty.
    error MissingAddress();

    /// @notice Shortest timelock of a deployment that may hold value.
    uint256 public constant MINIMUM_DELAY = 7 days;
    /// @notice Longest timelock.
    uint256 public constant MAXIMUM_DELAY = 365 days;
    /// @notice Seconds for which a proposal can be activated once it is ready. Without an end the
    /// governor could lay in proposals on the first day and activate them years later unannounced.
    uint256 public constant ACTIVATION_WINDOW = 14 days;

    /// @notice Who may propose, activate and cancel.
    address public immutable governor;
    /// @notice Seconds between proposal and activation.
    uint256 public immutable delay;
    /// @notice True when the deployment admits keys that one party made alone. Such a deployment is
    /// for development: whoever made the keys can prove anything.
    bool public immutable unsafeDevKeys;

    /// @notice Who may settle.
    mapping(address => bool) public operators;
    /// @notice Registered verifiers by entryId.
    mapping(bytes32 => Entry) public entries;
    /// @notice Unix second from which a proposal may be activated; 0 when there is none.
    mapping(bytes32 => uint256) public readyAt;

    modifier onlyGovernor() {
        if (msg.sender != governor) revert NotGovernor(msg.sender);
        _;
    }

    constructor(Config memory config) {
        if (config.governor == address(0) || config.operators.length == 0) revert MissingAddress();
        if (!config.unsafeDevKeys && config.delay < MINIMUM_DELAY) {
            revert DelayTooShort(config.delay, MINIMUM_DELAY);
        }
        if (config.delay > MAXIMUM_DELAY) revert DelayTooLong(config.delay, MAXIMUM_DELAY);
        governor = config.governor;
        delay = config.delay;
        unsafeDevKeys = config.unsafeDevKeys;
        for (uint256 i = 0; i < config.operators.length; ++i) {
            _setOperator(config.operators[i], true);
        }
        for (uint256 i = 0; i < config.registrations.length; ++i) {
            _register(config.registrations[i]);
        }
    }

    /// @notice The id under which an entry stands.
    function entryId(bytes32 circuit, bytes32 shape, uint32 version) public pure returns (bytes32) {
        return keccak256(abi.encode(circuit, shape, version));
    }

    /// @notice Proposes a verifier. What could never be activated is refused at once.
    function proposeVerifier(Registration calldata registration) external onlyGovernor {
        _checkRegistration(registration);
        bytes32 proposal = verifierProposal(registration);
        emit VerifierProposed(proposal, registration, _propose(proposal));
    }

    /// @notice Registers a proposed verifier after its delay; checks it again.
    function activateVerifier(Registration calldata registration) external onlyGovernor {
        _take(verifierProposal(registration));
        _register(registration);
    }

    /// @notice Proposes to admit or remove an operator.
    function proposeOperator(address operator, bool allowed) external onlyGovernor {
        if (operator == address(0)) revert MissingAddress();
        bytes32 proposal = operatorProposal(operator, allowed);
        emit OperatorProposed(proposal, operator, allowed, _propose(proposal));
    }

    /// @notice Admits or removes a proposed operator after the delay.
    function activateOperator(address operator, bool allowed) external onlyGovernor {
        _take(operatorProposal(operator, allowed));
        _setOperator(operator, allowed);
    }

    /// @notice Withdraws a waiting proposal.
    function cancel(bytes32 proposal) external onlyGovernor {
        if (readyAt[proposal] == 0) revert NotProposed(proposal);
        delete readyAt[proposal];
        emit Cancelled(proposal);
    }

    /// @notice Id of the proposal to register a verifier with the code that it has now.
    function verifierProposal(Registration memory registration) public view returns (bytes32) {
        return keccak256(abi.encode("verifier", registration, address(registration.verifier).codehash));
    }

    /// @notice Id of the proposal to admit or remove an operator.
    function operatorProposal(address operator, bool allowed) public pure returns (bytes32) {
        return keccak256(abi.encode("operator", operator, allowed));
    }

    function _propose(bytes32 proposal) private returns (uint256 time) {
        time = readyAt[proposal];
        if (time != 0 && block.timestamp <= time + ACTIVATION_WINDOW) revert AlreadyProposed(proposal);
        time = block.timestamp + delay;
        readyAt[proposal] = time;
    }

    /// @dev A proposal is used up by its activation.
    function _take(bytes32 proposal) private {
        uint256 time = readyAt[proposal];
        if (time == 0) revert NotProposed(proposal);
        if (block.timestamp < time) revert TooEarly(time);
        if (block.timestamp > time + ACTIVATION_WINDOW) revert TooLate(time + ACTIVATION_WINDOW);
        delete readyAt[proposal];
    }

    function _setOperator(address operator, bool allowed) private {
        if (operator == address(0)) revert MissingAddress();
        operators[operator] = allowed;
        emit OperatorSet(operator, allowed);
    }

    function _register(Registration memory r) private {
        _checkRegistration(r);
        entries[entryId(r.circuit, r.shape, r.version)] = Entry(r.verifier, r.keyHash, address(r.verifier).codehash);
        emit VerifierRegistered(r.circuit, r.shape, r.version, r.verifier, r.keyHash);
    }

    function _checkRegistration(Registration memory r) private view {
        if (address(r.verifier) == address(0)) revert MissingAddress();
        if (address(entries[entryId(r.circuit, r.shape, r.version)].verifier) != address(0)) {
            revert EntryExists(r.circuit, r.shape, r.version);
        }
        bytes32 got = r.verifier.keyHash();
        if (got != r.keyHash) revert KeyHashMismatch(got, r.keyHash);
    }
}
