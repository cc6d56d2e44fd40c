// Code generated via abigen V2 - DO NOT EDIT.
// This file is a generated binding and any manual changes will be lost.

package bindings

import (
	"bytes"
	"errors"
	"math/big"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/accounts/abi/bind/v2"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
)

// Reference imports to suppress errors if they are not otherwise used.
var (
	_ = bytes.Equal
	_ = errors.New
	_ = big.NewInt
	_ = common.Big1
	_ = types.BloomLookup
	_ = abi.ConvertType
)

// RegistryConfig is an auto generated low-level Go binding around an user-defined struct.
type RegistryConfig struct {
	Governor      common.Address
	Delay         *big.Int
	UnsafeDevKeys bool
	Operators     []common.Address
	Registrations []RegistryRegistration
}

// RegistryRegistration is an auto generated low-level Go binding around an user-defined struct.
type RegistryRegistration struct {
	Circuit  [32]byte
	Shape    [32]byte
	Version  uint32
	Verifier common.Address
	KeyHash  [32]byte
}

// RollupMetaData contains all meta data concerning the Rollup contract.
var RollupMetaData = bind.MetaData{
	ABI: "[{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"genesisRoot_\",\"type\":\"uint256\"},{\"internalType\":\"bytes32\",\"name\":\"genesisHash_\",\"type\":\"bytes32\"},{\"components\":[{\"internalType\":\"address\",\"name\":\"governor\",\"type\":\"address\"},{\"internalType\":\"uint256\",\"name\":\"delay\",\"type\":\"uint256\"},{\"internalType\":\"bool\",\"name\":\"unsafeDevKeys\",\"type\":\"bool\"},{\"internalType\":\"address[]\",\"name\":\"operators\",\"type\":\"address[]\"},{\"components\":[{\"internalType\":\"bytes32\",\"name\":\"circuit\",\"type\":\"bytes32\"},{\"internalType\":\"bytes32\",\"name\":\"shape\",\"type\":\"bytes32\"},{\"internalType\":\"uint32\",\"name\":\"version\",\"type\":\"uint32\"},{\"internalType\":\"contractIVerifier\",\"name\":\"verifier\",\"type\":\"address\"},{\"internalType\":\"bytes32\",\"name\":\"keyHash\",\"type\":\"bytes32\"}],\"internalType\":\"structRegistry.Registration[]\",\"name\":\"registrations\",\"type\":\"tuple[]\"}],\"internalType\":\"structRegistry.Config\",\"name\":\"config\",\"type\":\"tuple\"}],\"stateMutability\":\"nonpayable\",\"type\":\"constructor\"},{\"inputs\":[{\"internalType\":\"bytes32\",\"name\":\"proposal\",\"type\":\"bytes32\"}],\"name\":\"AlreadyProposed\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"chainId\",\"type\":\"uint256\"}],\"name\":\"ChainIdTooLarge\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"commitment\",\"type\":\"uint256\"}],\"name\":\"CommitmentNotInField\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"counts\",\"type\":\"uint256\"}],\"name\":\"CountsOutOfRange\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"delay\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"maximum\",\"type\":\"uint256\"}],\"name\":\"DelayTooLong\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"delay\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"minimum\",\"type\":\"uint256\"}],\"name\":\"DelayTooShort\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"bytes32\",\"name\":\"circuit\",\"type\":\"bytes32\"},{\"internalType\":\"bytes32\",\"name\":\"shape\",\"type\":\"bytes32\"},{\"internalType\":\"uint32\",\"name\":\"version\",\"type\":\"uint32\"}],\"name\":\"EntryExists\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"root\",\"type\":\"uint256\"}],\"name\":\"GenesisRootNotInField\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"bytes32\",\"name\":\"got\",\"type\":\"bytes32\"},{\"internalType\":\"bytes32\",\"name\":\"want\",\"type\":\"bytes32\"}],\"name\":\"KeyHashMismatch\",\"type\":\"error\"},{\"inputs\":[],\"name\":\"MissingAddress\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"sender\",\"type\":\"address\"}],\"name\":\"NotGovernor\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"sender\",\"type\":\"address\"}],\"name\":\"NotOperator\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"bytes32\",\"name\":\"proposal\",\"type\":\"bytes32\"}],\"name\":\"NotProposed\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"l1Operations\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"opens\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"exits\",\"type\":\"uint256\"}],\"name\":\"RecordsNotSupported\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"readyAt\",\"type\":\"uint256\"}],\"name\":\"TooEarly\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"expiredAt\",\"type\":\"uint256\"}],\"name\":\"TooLate\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"bytes32\",\"name\":\"shape\",\"type\":\"bytes32\"},{\"internalType\":\"uint32\",\"name\":\"version\",\"type\":\"uint32\"}],\"name\":\"UnknownVerifier\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"verifier\",\"type\":\"address\"}],\"name\":\"VerifierChanged\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"index\",\"type\":\"uint256\"}],\"name\":\"WordNotInField\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"got\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"want\",\"type\":\"uint256\"}],\"name\":\"WrongDomain\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"got\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"want\",\"type\":\"uint256\"}],\"name\":\"WrongLength\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"got\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"want\",\"type\":\"uint256\"}],\"name\":\"WrongNumber\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"got\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"want\",\"type\":\"uint256\"}],\"name\":\"WrongOldRoot\",\"type\":\"error\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"uint32\",\"name\":\"number\",\"type\":\"uint32\"},{\"indexed\":false,\"internalType\":\"uint256\",\"name\":\"newRoot\",\"type\":\"uint256\"},{\"indexed\":false,\"internalType\":\"uint256\",\"name\":\"commitment\",\"type\":\"uint256\"}],\"name\":\"BatchSettled\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"bytes32\",\"name\":\"proposal\",\"type\":\"bytes32\"}],\"name\":\"Cancelled\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"bytes32\",\"name\":\"proposal\",\"type\":\"bytes32\"},{\"indexed\":false,\"internalType\":\"address\",\"name\":\"operator\",\"type\":\"address\"},{\"indexed\":false,\"internalType\":\"bool\",\"name\":\"allowed\",\"type\":\"bool\"},{\"indexed\":false,\"internalType\":\"uint256\",\"name\":\"readyAt\",\"type\":\"uint256\"}],\"name\":\"OperatorProposed\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"address\",\"name\":\"operator\",\"type\":\"address\"},{\"indexed\":false,\"internalType\":\"bool\",\"name\":\"allowed\",\"type\":\"bool\"}],\"name\":\"OperatorSet\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"bytes32\",\"name\":\"proposal\",\"type\":\"bytes32\"},{\"components\":[{\"internalType\":\"bytes32\",\"name\":\"circuit\",\"type\":\"bytes32\"},{\"internalType\":\"bytes32\",\"name\":\"shape\",\"type\":\"bytes32\"},{\"internalType\":\"uint32\",\"name\":\"version\",\"type\":\"uint32\"},{\"internalType\":\"contractIVerifier\",\"name\":\"verifier\",\"type\":\"address\"},{\"internalType\":\"bytes32\",\"name\":\"keyHash\",\"type\":\"bytes32\"}],\"indexed\":false,\"internalType\":\"structRegistry.Registration\",\"name\":\"registration\",\"type\":\"tuple\"},{\"indexed\":false,\"internalType\":\"uint256\",\"name\":\"readyAt\",\"type\":\"uint256\"}],\"name\":\"VerifierProposed\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"bytes32\",\"name\":\"circuit\",\"type\":\"bytes32\"},{\"indexed\":true,\"internalType\":\"bytes32\",\"name\":\"shape\",\"type\":\"bytes32\"},{\"indexed\":true,\"internalType\":\"uint32\",\"name\":\"version\",\"type\":\"uint32\"},{\"indexed\":false,\"internalType\":\"contractIVerifier\",\"name\":\"verifier\",\"type\":\"address\"},{\"indexed\":false,\"internalType\":\"bytes32\",\"name\":\"keyHash\",\"type\":\"bytes32\"}],\"name\":\"VerifierRegistered\",\"type\":\"event\"},{\"inputs\":[],\"name\":\"ACTIVATION_WINDOW\",\"outputs\":[{\"internalType\":\"uint256\",\"name\":\"\",\"type\":\"uint256\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"CIRCUIT\",\"outputs\":[{\"internalType\":\"bytes32\",\"name\":\"\",\"type\":\"bytes32\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"MAXIMUM_DELAY\",\"outputs\":[{\"internalType\":\"uint256\",\"name\":\"\",\"type\":\"uint256\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"MINIMUM_DELAY\",\"outputs\":[{\"internalType\":\"uint256\",\"name\":\"\",\"type\":\"uint256\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"operator\",\"type\":\"address\"},{\"internalType\":\"bool\",\"name\":\"allowed\",\"type\":\"bool\"}],\"name\":\"activateOperator\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"components\":[{\"internalType\":\"bytes32\",\"name\":\"circuit\",\"type\":\"bytes32\"},{\"internalType\":\"bytes32\",\"name\":\"shape\",\"type\":\"bytes32\"},{\"internalType\":\"uint32\",\"name\":\"version\",\"type\":\"uint32\"},{\"internalType\":\"contractIVerifier\",\"name\":\"verifier\",\"type\":\"address\"},{\"internalType\":\"bytes32\",\"name\":\"keyHash\",\"type\":\"bytes32\"}],\"internalType\":\"structRegistry.Registration\",\"name\":\"registration\",\"type\":\"tuple\"}],\"name\":\"activateVerifier\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"batchNumber\",\"outputs\":[{\"internalType\":\"uint32\",\"name\":\"\",\"type\":\"uint32\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"bytes32\",\"name\":\"proposal\",\"type\":\"bytes32\"}],\"name\":\"cancel\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"delay\",\"outputs\":[{\"internalType\":\"uint256\",\"name\":\"\",\"type\":\"uint256\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"domain\",\"outputs\":[{\"internalType\":\"uint256\",\"name\":\"\",\"type\":\"uint256\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"bytes32\",\"name\":\"\",\"type\":\"bytes32\"}],\"name\":\"entries\",\"outputs\":[{\"internalType\":\"contractIVerifier\",\"name\":\"verifier\",\"type\":\"address\"},{\"internalType\":\"bytes32\",\"name\":\"keyHash\",\"type\":\"bytes32\"},{\"internalType\":\"bytes32\",\"name\":\"codeHash\",\"type\":\"bytes32\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"bytes32\",\"name\":\"circuit\",\"type\":\"bytes32\"},{\"internalType\":\"bytes32\",\"name\":\"shape\",\"type\":\"bytes32\"},{\"internalType\":\"uint32\",\"name\":\"version\",\"type\":\"uint32\"}],\"name\":\"entryId\",\"outputs\":[{\"internalType\":\"bytes32\",\"name\":\"\",\"type\":\"bytes32\"}],\"stateMutability\":\"pure\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"genesisHash\",\"outputs\":[{\"internalType\":\"bytes32\",\"name\":\"\",\"type\":\"bytes32\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"genesisRoot\",\"outputs\":[{\"internalType\":\"uint256\",\"name\":\"\",\"type\":\"uint256\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"governor\",\"outputs\":[{\"internalType\":\"address\",\"name\":\"\",\"type\":\"address\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"operator\",\"type\":\"address\"},{\"internalType\":\"bool\",\"name\":\"allowed\",\"type\":\"bool\"}],\"name\":\"operatorProposal\",\"outputs\":[{\"internalType\":\"bytes32\",\"name\":\"\",\"type\":\"bytes32\"}],\"stateMutability\":\"pure\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"\",\"type\":\"address\"}],\"name\":\"operators\",\"outputs\":[{\"internalType\":\"bool\",\"name\":\"\",\"type\":\"bool\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"operator\",\"type\":\"address\"},{\"internalType\":\"bool\",\"name\":\"allowed\",\"type\":\"bool\"}],\"name\":\"proposeOperator\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"components\":[{\"internalType\":\"bytes32\",\"name\":\"circuit\",\"type\":\"bytes32\"},{\"internalType\":\"bytes32\",\"name\":\"shape\",\"type\":\"bytes32\"},{\"internalType\":\"uint32\",\"name\":\"version\",\"type\":\"uint32\"},{\"internalType\":\"contractIVerifier\",\"name\":\"verifier\",\"type\":\"address\"},{\"internalType\":\"bytes32\",\"name\":\"keyHash\",\"type\":\"bytes32\"}],\"internalType\":\"structRegistry.Registration\",\"name\":\"registration\",\"type\":\"tuple\"}],\"name\":\"proposeVerifier\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"bytes32\",\"name\":\"\",\"type\":\"bytes32\"}],\"name\":\"readyAt\",\"outputs\":[{\"internalType\":\"uint256\",\"name\":\"\",\"type\":\"uint256\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"root\",\"outputs\":[{\"internalType\":\"uint256\",\"name\":\"\",\"type\":\"uint256\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"bytes32\",\"name\":\"shape\",\"type\":\"bytes32\"},{\"internalType\":\"uint32\",\"name\":\"version\",\"type\":\"uint32\"},{\"internalType\":\"uint256\",\"name\":\"commitment\",\"type\":\"uint256\"},{\"internalType\":\"uint256[]\",\"name\":\"words\",\"type\":\"uint256[]\"},{\"internalType\":\"bytes\",\"name\":\"proof\",\"type\":\"bytes\"}],\"name\":\"settle\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"unsafeDevKeys\",\"outputs\":[{\"internalType\":\"bool\",\"name\":\"\",\"type\":\"bool\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"components\":[{\"internalType\":\"bytes32\",\"name\":\"circuit\",\"type\":\"bytes32\"},{\"internalType\":\"bytes32\",\"name\":\"shape\",\"type\":\"bytes32\"},{\"internalType\":\"uint32\",\"name\":\"version\",\"type\":\"uint32\"},{\"internalType\":\"contractIVerifier\",\"name\":\"verifier\",\"type\":\"address\"},{\"internalType\":\"bytes32\",\"name\":\"keyHash\",\"type\":\"bytes32\"}],\"internalType\":\"structRegistry.Registration\",\"name\":\"registration\",\"type\":\"tuple\"}],\"name\":\"verifierProposal\",\"outputs\":[{\"internalType\":\"bytes32\",\"name\":\"\",\"type\":\"bytes32\"}],\"stateMutability\":\"view\",\"type\":\"function\"}]",
	ID:  "Rollup",
	Bin: "0x610140604052348015610010575f5ffd5b5060405161257038038061257083398101604081905261002f91610708565b805181906001600160a01b0316158061004b5750606081015151155b1561006957604051633a31dae360e21b815260040160405180910390fd5b8060400151158015610081575062093a808160200151105b156100b657602081015160405163d6ef4a3160e01b8152600481019190915262093a8060248201526044015b60405180910390fd5b6301e13380816020015111156100f2576020810151604051630e62012f60e31b815260048101919091526301e1338060248201526044016100ad565b80516001600160a01b0316608052602081015160a0526040810151151560c0525f5b8160600151518110156101575761014f8260600151828151811061013a5761013a6107e5565b6020026020010151600161022660201b60201c565b600101610114565b505f5b81608001515181101561019b5761019382608001518281518110610180576101806107e5565b60200260200101516102a960201b60201c565b60010161015a565b50507f30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f000000183106101e05760405163b404ed4160e01b8152600481018490526024016100ad565b6001600160401b0346111561020a57604051631063f20160e11b81524660048201526024016100ad565b504660a01b301760e05261010082905261012052600355610810565b6001600160a01b03821661024d57604051633a31dae360e21b815260040160405180910390fd5b6001600160a01b0382165f8181526020818152604091829020805460ff191685151590811790915591519182527f1a594081ae893ab78e67d9b9e843547318164322d32c65369d78a96172d9dc8f910160405180910390a25050565b6102b2816103aa565b604051806060016040528082606001516001600160a01b031681526020018260800151815260200182606001516001600160a01b03163f81525060015f61030b845f0151856020015186604001516104f760201b60201c565b815260208082019290925260409081015f20835181546001600160a01b0319166001600160a01b0391821617825584840151600183015593820151600290910155838101518483015185516060870151608088015185519190971681529485019590955263ffffffff90911693909290917f7bba781b0f35fc1a22c523955e2b02b6b9d15bf648a0f8469d03e50a8f23ad6a910160405180910390a450565b60608101516001600160a01b03166103d557604051633a31dae360e21b815260040160405180910390fd5b5f6001600160a01b031660015f6103fe845f0151856020015186604001516104f760201b60201c565b815260208101919091526040015f20546001600160a01b0316146104585780516020820151604080840151905163ac1d0d1b60e01b81526004810193909352602483019190915263ffffffff1660448201526064016100ad565b5f81606001516001600160a01b03166361728f396040518163ffffffff1660e01b8152600401602060405180830381865afa158015610499573d5f5f3e3d5ffd5b505050506040513d601f19601f820116820180604052508101906104bd91906107f9565b9050816080015181146104f35760808201516040516321fd20d160e21b81526100ad918391600401918252602082015260400190565b5050565b604080516020810185905290810183905263ffffffff821660608201525f906080016040516020818303038152906040528051906020012090509392505050565b634e487b7160e01b5f52604160045260245ffd5b60405160a081016001600160401b038111828210171561056e5761056e610538565b60405290565b604051601f8201601f191681016001600160401b038111828210171561059c5761059c610538565b604052919050565b6001600160a01b03811681146105b8575f5ffd5b50565b5f6001600160401b038211156105d3576105d3610538565b5060051b60200190565b5f82601f8301126105ec575f5ffd5b81516105ff6105fa826105bb565b610574565b8082825260208201915060208360051b860101925085831115610620575f5ffd5b602085015b83811015610646578051610638816105a4565b835260209283019201610625565b5095945050505050565b5f82601f83011261065f575f5ffd5b815161066d6105fa826105bb565b80828252602082019150602060a0840286010192508583111561068e575f5ffd5b602085015b838110156106465760a081880312156106aa575f5ffd5b6106b261054c565b8151815260208083015190820152604082015163ffffffff811681146106d6575f5ffd5b604082015260608201516106e9816105a4565b606082015260808281015190820152835260209092019160a001610693565b5f5f5f6060848603121561071a575f5ffd5b83516020850151604086015191945092506001600160401b0381111561073e575f5ffd5b840160a0818703121561074f575f5ffd5b61075761054c565b8151610762816105a4565b81526020828101519082015260408201518015158114610780575f5ffd5b604082015260608201516001600160401b0381111561079d575f5ffd5b6107a9888285016105dd565b60608301525060808201516001600160401b038111156107c7575f5ffd5b6107d388828501610650565b60808301525080925050509250925092565b634e487b7160e01b5f52603260045260245ffd5b5f60208284031215610809575f5ffd5b5051919050565b60805160a05160c05160e0516101005161012051611ce161088f5f395f61038e01525f61049d01525f81816104630152818161054601526105a401525f6103c801525f8181610336015261172a01525f818161019801528181610847015281816109c501528181610aa801528181610b340152610c660152611ce15ff3fe608060405234801561000f575f5ffd5b506004361061018f575f3560e01c80639bb6d1fd116100dd578063bea2080111610088578063c703372111610063578063c703372114610498578063d4ab1d46146104bf578063ebf0c717146104d2575f5ffd5b8063bea208011461043f578063c2fb26a61461045e578063c4d252f514610485575f5ffd5b8063b1b43ae5116100b8578063b1b43ae5146103fd578063b6462e7d14610407578063ba8730651461041a575f5ffd5b80639bb6d1fd146103b0578063a10fe286146103c3578063afe20135146103ea575f5ffd5b8063583ace1c1161013d5780637e8ecf47116101185780637e8ecf47146103635780638468bb0d1461037657806394391a6d14610389575f5ffd5b8063583ace1c1461031c5780636a42b8f8146103315780637d645fab14610358575f5ffd5b806332da04bd1161016d57806332da04bd1461028e57806338ff1c38146102c35780634d7fc152146102cd575f5ffd5b80630c340a241461019357806313e7c9d8146101e4578063267b692214610216575b5f5ffd5b6101ba7f000000000000000000000000000000000000000000000000000000000000000081565b60405173ffffffffffffffffffffffffffffffffffffffff90911681526020015b60405180910390f35b6102066101f2366004611897565b5f6020819052908152604090205460ff1681565b60405190151581526020016101db565b61025c6102243660046118b9565b600160208190525f918252604090912080549181015460029091015473ffffffffffffffffffffffffffffffffffffffff9092169183565b6040805173ffffffffffffffffffffffffffffffffffffffff90941684526020840192909252908201526060016101db565b6102b57f7472616e736974696f6e0000000000000000000000000000000000000000000081565b6040519081526020016101db565b6102b56212750081565b6102b56102db3660046118e8565b604080516020810185905290810183905263ffffffff821660608201525f906080016040516020818303038152906040528051906020012090509392505050565b61032f61032a36600461195f565b6104db565b005b6102b57f000000000000000000000000000000000000000000000000000000000000000081565b6102b56301e1338081565b61032f610371366004611a23565b61082f565b6102b5610384366004611a47565b6108d4565b6102b57f000000000000000000000000000000000000000000000000000000000000000081565b61032f6103be366004611a23565b6109ad565b6102067f000000000000000000000000000000000000000000000000000000000000000081565b61032f6103f8366004611ae8565b610a90565b6102b562093a8081565b61032f610415366004611ae8565b610b1c565b60045461042a9063ffffffff1681565b60405163ffffffff90911681526020016101db565b6102b561044d3660046118b9565b60026020525f908152604090205481565b6102b57f000000000000000000000000000000000000000000000000000000000000000081565b61032f6104933660046118b9565b610c4e565b6102b57f000000000000000000000000000000000000000000000000000000000000000081565b6102b56104cd366004611ae8565b610d42565b6102b560035481565b335f9081526020819052604090205460ff1661052a576040517f76c6c93a0000000000000000000000000000000000000000000000000000000081523360048201526024015b60405180910390fd5b5f6105358888610dcc565b90505f6105428686610f1b565b90507f00000000000000000000000000000000000000000000000000000000000000008160600151146105d05760608101516040517f100f61d400000000000000000000000000000000000000000000000000000000815260048101919091527f00000000000000000000000000000000000000000000000000000000000000006024820152604401610521565b6004545f906105e69063ffffffff166001611b50565b825190915063ffffffff82161461063b5781516040517f5af70411000000000000000000000000000000000000000000000000000000008152600481019190915263ffffffff82166024820152604401610521565b60035482602001511461068b5760208201516003546040517f5ed96baa00000000000000000000000000000000000000000000000000000000815260048101929092526024820152604401610521565b61010082015160e083015160a08401511717156106f55760a082015160e08301516101008401516040517f32495f81000000000000000000000000000000000000000000000000000000008152600481019390935260248301919091526044820152606401610521565b5f61070189898961111b565b90505f61070f8989846111b7565b604080516060810182528c81526020810185905280820183905290517f28a4e14800000000000000000000000000000000000000000000000000000000815291925073ffffffffffffffffffffffffffffffffffffffff8716916328a4e1489161077f918b918b91600401611b6c565b5f6040518083038186803b158015610795575f5ffd5b505afa1580156107a7573d5f5f3e3d5ffd5b505050506040848101516003819055600480547fffffffffffffffffffffffffffffffffffffffffffffffffffffffff000000001663ffffffff87169081179091558251918252602082018d9052917f1a919a7df7c357f1719622280bcf9588a0ce300cb73babad5167fb92e18f1d22910160405180910390a2505050505050505050505050565b3373ffffffffffffffffffffffffffffffffffffffff7f000000000000000000000000000000000000000000000000000000000000000016146108a0576040517fad0550d5000000000000000000000000000000000000000000000000000000008152336004820152602401610521565b6108ba6108b561038436849003840184611a47565b611287565b6108d16108cc36839003830183611a47565b611376565b50565b5f81826060015173ffffffffffffffffffffffffffffffffffffffff163f60405160200161099092919060e08152600860e08201527f76657269666965720000000000000000000000000000000000000000000000006101008201525f61012082019050835160208301526020840151604083015263ffffffff604085015116606083015273ffffffffffffffffffffffffffffffffffffffff6060850151166080830152608084015160a08301528260c08301529392505050565b604051602081830303815290604052805190602001209050919050565b3373ffffffffffffffffffffffffffffffffffffffff7f00000000000000000000000000000000000000000000000000000000000000001614610a1e576040517fad0550d5000000000000000000000000000000000000000000000000000000008152336004820152602401610521565b610a35610a3036839003830183611a47565b6114ec565b5f610a4861038436849003840184611a47565b9050807fdaecf4116e11eaa5e7a8183fccceeb466b93e79943283e59bd783b2f5382dbcb83610a76846116c2565b604051610a84929190611be4565b60405180910390a25050565b3373ffffffffffffffffffffffffffffffffffffffff7f00000000000000000000000000000000000000000000000000000000000000001614610b01576040517fad0550d5000000000000000000000000000000000000000000000000000000008152336004820152602401610521565b610b0e6108b58383610d42565b610b188282611764565b5050565b3373ffffffffffffffffffffffffffffffffffffffff7f00000000000000000000000000000000000000000000000000000000000000001614610b8d576040517fad0550d5000000000000000000000000000000000000000000000000000000008152336004820152602401610521565b73ffffffffffffffffffffffffffffffffffffffff8216610bda576040517fe8c76b8c00000000000000000000000000000000000000000000000000000000815260040160405180910390fd5b5f610be58383610d42565b9050807f837919e15830daf602e930d820ac3fc12fe17de36b0b7581a7037a711a86c1a28484610c14856116c2565b6040805173ffffffffffffffffffffffffffffffffffffffff909416845291151560208401529082015260600160405180910390a2505050565b3373ffffffffffffffffffffffffffffffffffffffff7f00000000000000000000000000000000000000000000000000000000000000001614610cbf576040517fad0550d5000000000000000000000000000000000000000000000000000000008152336004820152602401610521565b5f818152600260205260408120549003610d08576040517f506e525800000000000000000000000000000000000000000000000000000000815260048101829052602401610521565b5f818152600260205260408082208290555182917fbaa1eb22f2a492ba1a5fea61b8df4d27c6c8b5f3971e63bb58fa14ff72eedb7091a250565b5f8282604051602001610dad92919060608082526008908201527f6f70657261746f72000000000000000000000000000000000000000000000000608082015273ffffffffffffffffffffffffffffffffffffffff9290921660208301521515604082015260a00190565b6040516020818303038152906040528051906020012090505b92915050565b5f5f60015f610e387f7472616e736974696f6e000000000000000000000000000000000000000000008787604080516020810185905290810183905263ffffffff821660608201525f906080016040516020818303038152906040528051906020012090509392505050565b815260208101919091526040015f20805473ffffffffffffffffffffffffffffffffffffffff169250905081610ea9576040517faebb53010000000000000000000000000000000000000000000000000000000081526004810185905263ffffffff84166024820152604401610521565b80600201548273ffffffffffffffffffffffffffffffffffffffff163f14610f14576040517eaccbf000000000000000000000000000000000000000000000000000000000815273ffffffffffffffffffffffffffffffffffffffff83166004820152602401610521565b5092915050565b610f616040518061012001604052805f81526020015f81526020015f81526020015f81526020015f81526020015f81526020015f81526020015f81526020015f81525090565b6005821015610fa6576040517fb863f0410000000000000000000000000000000000000000000000000000000081526004810183905260056024820152604401610521565b82825f818110610fb857610fb8611c4a565b602002919091013582525082826001818110610fd657610fd6611c4a565b9050602002013581602001818152505082826002818110610ff957610ff9611c4a565b60200291909101356040830152508282600381811061101a5761101a611c4a565b60200291909101356060830152505f8383600481811061103c5761103c611c4a565b90506020020135905060a081901c5f14611085576040517f91eadad500000000000000000000000000000000000000000000000000000000815260048101829052602401610521565b63ffffffff818116608080850191909152602083901c821660a0850152604083901c821660c0850152606083901c90911660e084015281901c6101008301525f6110ce83611831565b9050838114611113576040517fb863f0410000000000000000000000000000000000000000000000000000000081526004810185905260248101829052604401610521565b505092915050565b5f7f30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f00000018410611178576040517f15805a4600000000000000000000000000000000000000000000000000000000815260048101859052602401610521565b6040518260051b8582528085602084013760200190207effffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff16949350505050565b5f7f30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f00000018185600586901b81015b81811115611236577fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe001803584811061122757600160208484030401935050611236565b848186898909089550506111e3565b5050801561127e57611249600182611c77565b6040517f2753c4f500000000000000000000000000000000000000000000000000000000815260040161052191815260200190565b50509392505050565b5f81815260026020526040812054908190036112d2576040517f506e525800000000000000000000000000000000000000000000000000000000815260048101839052602401610521565b8042101561130f576040517f2a35a32400000000000000000000000000000000000000000000000000000000815260048101829052602401610521565b61131c6212750082611c8a565b421115611365576113306212750082611c8a565b6040517f691e568200000000000000000000000000000000000000000000000000000000815260040161052191815260200190565b505f90815260026020526040812055565b61137f816114ec565b6040518060600160405280826060015173ffffffffffffffffffffffffffffffffffffffff16815260200182608001518152602001826060015173ffffffffffffffffffffffffffffffffffffffff163f81525060015f611428845f015185602001518660400151604080516020810185905290810183905263ffffffff821660608201525f906080016040516020818303038152906040528051906020012090509392505050565b815260208082019290925260409081015f20835181547fffffffffffffffffffffffff00000000000000000000000000000000000000001673ffffffffffffffffffffffffffffffffffffffff91821617825584840151600183015593820151600290910155838101518483015185516060870151608088015185519190971681529485019590955263ffffffff90911693909290917f7bba781b0f35fc1a22c523955e2b02b6b9d15bf648a0f8469d03e50a8f23ad6a910160405180910390a450565b606081015173ffffffffffffffffffffffffffffffffffffffff1661153d576040517fe8c76b8c00000000000000000000000000000000000000000000000000000000815260040160405180910390fd5b80516020808301516040808501518151808501959095528482019290925263ffffffff90911660608085019190915281518085039091018152608090930181528251928201929092205f9081526001909152205473ffffffffffffffffffffffffffffffffffffffff1615611601578051602082015160408084015190517fac1d0d1b0000000000000000000000000000000000000000000000000000000081526004810193909352602483019190915263ffffffff166044820152606401610521565b5f816060015173ffffffffffffffffffffffffffffffffffffffff166361728f396040518163ffffffff1660e01b8152600401602060405180830381865afa15801561164f573d5f5f3e3d5ffd5b505050506040513d601f19601f820116820180604052508101906116739190611c9d565b905081608001518114610b185760808201516040517f87f48344000000000000000000000000000000000000000000000000000000008152610521918391600401918252602082015260400190565b5f8181526002602052604090205480158015906116eb57506116e76212750082611c8a565b4211155b15611725576040517f56a75c3600000000000000000000000000000000000000000000000000000000815260048101839052602401610521565b61174f7f000000000000000000000000000000000000000000000000000000000000000042611c8a565b5f928352600260205260409092208290555090565b73ffffffffffffffffffffffffffffffffffffffff82166117b1576040517fe8c76b8c00000000000000000000000000000000000000000000000000000000815260040160405180910390fd5b73ffffffffffffffffffffffffffffffffffffffff82165f818152602081815260409182902080547fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff001685151590811790915591519182527f1a594081ae893ab78e67d9b9e843547318164322d32c65369d78a96172d9dc8f9101610a84565b5f8161010001516002028260e0015160020260028460c001516001018161185a5761185a611cb4565b048460a001516003028560800151600501010101019050919050565b73ffffffffffffffffffffffffffffffffffffffff811681146108d1575f5ffd5b5f602082840312156118a7575f5ffd5b81356118b281611876565b9392505050565b5f602082840312156118c9575f5ffd5b5035919050565b803563ffffffff811681146118e3575f5ffd5b919050565b5f5f5f606084860312156118fa575f5ffd5b8335925060208401359150611911604085016118d0565b90509250925092565b5f5f83601f84011261192a575f5ffd5b50813567ffffffffffffffff811115611941575f5ffd5b602083019150836020828501011115611958575f5ffd5b9250929050565b5f5f5f5f5f5f5f60a0888a031215611975575f5ffd5b87359650611985602089016118d0565b955060408801359450606088013567ffffffffffffffff8111156119a7575f5ffd5b8801601f81018a136119b7575f5ffd5b803567ffffffffffffffff8111156119cd575f5ffd5b8a60208260051b84010111156119e1575f5ffd5b60209190910194509250608088013567ffffffffffffffff811115611a04575f5ffd5b611a108a828b0161191a565b989b979a50959850939692959293505050565b5f60a0828403128015611a34575f5ffd5b509092915050565b80356118e381611876565b5f60a0828403128015611a58575f5ffd5b5060405160a0810167ffffffffffffffff81118282101715611aa1577f4e487b71000000000000000000000000000000000000000000000000000000005f52604160045260245ffd5b60409081528335825260208085013590830152611abf9084016118d0565b6040820152611ad060608401611a3c565b60608201526080928301359281019290925250919050565b5f5f60408385031215611af9575f5ffd5b8235611b0481611876565b915060208301358015158114611b18575f5ffd5b809150509250929050565b7f4e487b71000000000000000000000000000000000000000000000000000000005f52601160045260245ffd5b63ffffffff8181168382160190811115610dc657610dc6611b23565b60808152826080820152828460a08301375f60a084830101525f60a07fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe0601f860116830101905060208201835f5b6003811015611bd9578151835260209283019290910190600101611bba565b505050949350505050565b823581526020808401359082015260c0810163ffffffff611c07604086016118d0565b1660408301526060840135611c1b81611876565b73ffffffffffffffffffffffffffffffffffffffff1660608301526080938401359382019390935260a0015290565b7f4e487b71000000000000000000000000000000000000000000000000000000005f52603260045260245ffd5b81810381811115610dc657610dc6611b23565b80820180821115610dc657610dc6611b23565b5f60208284031215611cad575f5ffd5b5051919050565b7f4e487b71000000000000000000000000000000000000000000000000000000005f52601260045260245ffd",
}

// Rollup is an auto generated Go binding around an Ethereum contract.
type Rollup struct {
	abi abi.ABI
}

// GetABI returns the ABI associated with this contract binding.
func (c *Rollup) GetABI() abi.ABI {
	return c.abi
}

// NewRollup creates a new instance of Rollup.
func NewRollup() *Rollup {
	parsed, err := RollupMetaData.ParseABI()
	if err != nil {
		panic(errors.New("invalid ABI: " + err.Error()))
	}
	return &Rollup{abi: *parsed}
}

// Instance creates a wrapper for a deployed contract instance at the given address.
// Use this to create the instance object passed to abigen v2 library functions Call, Transact, etc.
func (c *Rollup) Instance(backend bind.ContractBackend, addr common.Address) *bind.BoundContract {
	return bind.NewBoundContract(addr, c.abi, backend, backend, backend)
}

// PackConstructor is the Go binding used to pack the parameters required for
// contract deployment.
//
// Solidity: constructor(uint256 genesisRoot_, bytes32 genesisHash_, (address,uint256,bool,address[],(bytes32,bytes32,uint32,address,bytes32)[]) config) returns()
func (rollup *Rollup) PackConstructor(genesisRoot_ *big.Int, genesisHash_ [32]byte, config RegistryConfig) []byte {
	enc, err := rollup.abi.Pack("", genesisRoot_, genesisHash_, config)
	if err != nil {
		panic(err)
	}
	return enc
}

// PackACTIVATIONWINDOW is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x38ff1c38.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function ACTIVATION_WINDOW() view returns(uint256)
func (rollup *Rollup) PackACTIVATIONWINDOW() []byte {
	enc, err := rollup.abi.Pack("ACTIVATION_WINDOW")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackACTIVATIONWINDOW is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x38ff1c38.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function ACTIVATION_WINDOW() view returns(uint256)
func (rollup *Rollup) TryPackACTIVATIONWINDOW() ([]byte, error) {
	return rollup.abi.Pack("ACTIVATION_WINDOW")
}

// UnpackACTIVATIONWINDOW is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x38ff1c38.
//
// Solidity: function ACTIVATION_WINDOW() view returns(uint256)
func (rollup *Rollup) UnpackACTIVATIONWINDOW(data []byte) (*big.Int, error) {
	out, err := rollup.abi.Unpack("ACTIVATION_WINDOW", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackCIRCUIT is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x32da04bd.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function CIRCUIT() view returns(bytes32)
func (rollup *Rollup) PackCIRCUIT() []byte {
	enc, err := rollup.abi.Pack("CIRCUIT")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackCIRCUIT is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x32da04bd.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function CIRCUIT() view returns(bytes32)
func (rollup *Rollup) TryPackCIRCUIT() ([]byte, error) {
	return rollup.abi.Pack("CIRCUIT")
}

// UnpackCIRCUIT is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x32da04bd.
//
// Solidity: function CIRCUIT() view returns(bytes32)
func (rollup *Rollup) UnpackCIRCUIT(data []byte) ([32]byte, error) {
	out, err := rollup.abi.Unpack("CIRCUIT", data)
	if err != nil {
		return *new([32]byte), err
	}
	out0 := *abi.ConvertType(out[0], new([32]byte)).(*[32]byte)
	return out0, nil
}

// PackMAXIMUMDELAY is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x7d645fab.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function MAXIMUM_DELAY() view returns(uint256)
func (rollup *Rollup) PackMAXIMUMDELAY() []byte {
	enc, err := rollup.abi.Pack("MAXIMUM_DELAY")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackMAXIMUMDELAY is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x7d645fab.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function MAXIMUM_DELAY() view returns(uint256)
func (rollup *Rollup) TryPackMAXIMUMDELAY() ([]byte, error) {
	return rollup.abi.Pack("MAXIMUM_DELAY")
}

// UnpackMAXIMUMDELAY is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x7d645fab.
//
// Solidity: function MAXIMUM_DELAY() view returns(uint256)
func (rollup *Rollup) UnpackMAXIMUMDELAY(data []byte) (*big.Int, error) {
	out, err := rollup.abi.Unpack("MAXIMUM_DELAY", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackMINIMUMDELAY is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xb1b43ae5.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function MINIMUM_DELAY() view returns(uint256)
func (rollup *Rollup) PackMINIMUMDELAY() []byte {
	enc, err := rollup.abi.Pack("MINIMUM_DELAY")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackMINIMUMDELAY is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xb1b43ae5.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function MINIMUM_DELAY() view returns(uint256)
func (rollup *Rollup) TryPackMINIMUMDELAY() ([]byte, error) {
	return rollup.abi.Pack("MINIMUM_DELAY")
}

// UnpackMINIMUMDELAY is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xb1b43ae5.
//
// Solidity: function MINIMUM_DELAY() view returns(uint256)
func (rollup *Rollup) UnpackMINIMUMDELAY(data []byte) (*big.Int, error) {
	out, err := rollup.abi.Unpack("MINIMUM_DELAY", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackActivateOperator is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xafe20135.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function activateOperator(address operator, bool allowed) returns()
func (rollup *Rollup) PackActivateOperator(operator common.Address, allowed bool) []byte {
	enc, err := rollup.abi.Pack("activateOperator", operator, allowed)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackActivateOperator is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xafe20135.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function activateOperator(address operator, bool allowed) returns()
func (rollup *Rollup) TryPackActivateOperator(operator common.Address, allowed bool) ([]byte, error) {
	return rollup.abi.Pack("activateOperator", operator, allowed)
}

// PackActivateVerifier is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x7e8ecf47.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function activateVerifier((bytes32,bytes32,uint32,address,bytes32) registration) returns()
func (rollup *Rollup) PackActivateVerifier(registration RegistryRegistration) []byte {
	enc, err := rollup.abi.Pack("activateVerifier", registration)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackActivateVerifier is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x7e8ecf47.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function activateVerifier((bytes32,bytes32,uint32,address,bytes32) registration) returns()
func (rollup *Rollup) TryPackActivateVerifier(registration RegistryRegistration) ([]byte, error) {
	return rollup.abi.Pack("activateVerifier", registration)
}

// PackBatchNumber is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xba873065.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function batchNumber() view returns(uint32)
func (rollup *Rollup) PackBatchNumber() []byte {
	enc, err := rollup.abi.Pack("batchNumber")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackBatchNumber is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xba873065.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function batchNumber() view returns(uint32)
func (rollup *Rollup) TryPackBatchNumber() ([]byte, error) {
	return rollup.abi.Pack("batchNumber")
}

// UnpackBatchNumber is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xba873065.
//
// Solidity: function batchNumber() view returns(uint32)
func (rollup *Rollup) UnpackBatchNumber(data []byte) (uint32, error) {
	out, err := rollup.abi.Unpack("batchNumber", data)
	if err != nil {
		return *new(uint32), err
	}
	out0 := *abi.ConvertType(out[0], new(uint32)).(*uint32)
	return out0, nil
}

// PackCancel is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xc4d252f5.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function cancel(bytes32 proposal) returns()
func (rollup *Rollup) PackCancel(proposal [32]byte) []byte {
	enc, err := rollup.abi.Pack("cancel", proposal)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackCancel is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xc4d252f5.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function cancel(bytes32 proposal) returns()
func (rollup *Rollup) TryPackCancel(proposal [32]byte) ([]byte, error) {
	return rollup.abi.Pack("cancel", proposal)
}

// PackDelay is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x6a42b8f8.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function delay() view returns(uint256)
func (rollup *Rollup) PackDelay() []byte {
	enc, err := rollup.abi.Pack("delay")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackDelay is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x6a42b8f8.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function delay() view returns(uint256)
func (rollup *Rollup) TryPackDelay() ([]byte, error) {
	return rollup.abi.Pack("delay")
}

// UnpackDelay is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x6a42b8f8.
//
// Solidity: function delay() view returns(uint256)
func (rollup *Rollup) UnpackDelay(data []byte) (*big.Int, error) {
	out, err := rollup.abi.Unpack("delay", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackDomain is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xc2fb26a6.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function domain() view returns(uint256)
func (rollup *Rollup) PackDomain() []byte {
	enc, err := rollup.abi.Pack("domain")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackDomain is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xc2fb26a6.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function domain() view returns(uint256)
func (rollup *Rollup) TryPackDomain() ([]byte, error) {
	return rollup.abi.Pack("domain")
}

// UnpackDomain is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xc2fb26a6.
//
// Solidity: function domain() view returns(uint256)
func (rollup *Rollup) UnpackDomain(data []byte) (*big.Int, error) {
	out, err := rollup.abi.Unpack("domain", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackEntries is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x267b6922.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function entries(bytes32 ) view returns(address verifier, bytes32 keyHash, bytes32 codeHash)
func (rollup *Rollup) PackEntries(arg0 [32]byte) []byte {
	enc, err := rollup.abi.Pack("entries", arg0)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackEntries is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x267b6922.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function entries(bytes32 ) view returns(address verifier, bytes32 keyHash, bytes32 codeHash)
func (rollup *Rollup) TryPackEntries(arg0 [32]byte) ([]byte, error) {
	return rollup.abi.Pack("entries", arg0)
}

// EntriesOutput serves as a container for the return parameters of contract
// method Entries.
type EntriesOutput struct {
	Verifier common.Address
	KeyHash  [32]byte
	CodeHash [32]byte
}

// UnpackEntries is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x267b6922.
//
// Solidity: function entries(bytes32 ) view returns(address verifier, bytes32 keyHash, bytes32 codeHash)
func (rollup *Rollup) UnpackEntries(data []byte) (EntriesOutput, error) {
	out, err := rollup.abi.Unpack("entries", data)
	outstruct := new(EntriesOutput)
	if err != nil {
		return *outstruct, err
	}
	outstruct.Verifier = *abi.ConvertType(out[0], new(common.Address)).(*common.Address)
	outstruct.KeyHash = *abi.ConvertType(out[1], new([32]byte)).(*[32]byte)
	outstruct.CodeHash = *abi.ConvertType(out[2], new([32]byte)).(*[32]byte)
	return *outstruct, nil
}

// PackEntryId is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x4d7fc152.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function entryId(bytes32 circuit, bytes32 shape, uint32 version) pure returns(bytes32)
func (rollup *Rollup) PackEntryId(circuit [32]byte, shape [32]byte, version uint32) []byte {
	enc, err := rollup.abi.Pack("entryId", circuit, shape, version)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackEntryId is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x4d7fc152.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function entryId(bytes32 circuit, bytes32 shape, uint32 version) pure returns(bytes32)
func (rollup *Rollup) TryPackEntryId(circuit [32]byte, shape [32]byte, version uint32) ([]byte, error) {
	return rollup.abi.Pack("entryId", circuit, shape, version)
}

// UnpackEntryId is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x4d7fc152.
//
// Solidity: function entryId(bytes32 circuit, bytes32 shape, uint32 version) pure returns(bytes32)
func (rollup *Rollup) UnpackEntryId(data []byte) ([32]byte, error) {
	out, err := rollup.abi.Unpack("entryId", data)
	if err != nil {
		return *new([32]byte), err
	}
	out0 := *abi.ConvertType(out[0], new([32]byte)).(*[32]byte)
	return out0, nil
}

// PackGenesisHash is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x94391a6d.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function genesisHash() view returns(bytes32)
func (rollup *Rollup) PackGenesisHash() []byte {
	enc, err := rollup.abi.Pack("genesisHash")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackGenesisHash is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x94391a6d.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function genesisHash() view returns(bytes32)
func (rollup *Rollup) TryPackGenesisHash() ([]byte, error) {
	return rollup.abi.Pack("genesisHash")
}

// UnpackGenesisHash is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x94391a6d.
//
// Solidity: function genesisHash() view returns(bytes32)
func (rollup *Rollup) UnpackGenesisHash(data []byte) ([32]byte, error) {
	out, err := rollup.abi.Unpack("genesisHash", data)
	if err != nil {
		return *new([32]byte), err
	}
	out0 := *abi.ConvertType(out[0], new([32]byte)).(*[32]byte)
	return out0, nil
}

// PackGenesisRoot is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xc7033721.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function genesisRoot() view returns(uint256)
func (rollup *Rollup) PackGenesisRoot() []byte {
	enc, err := rollup.abi.Pack("genesisRoot")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackGenesisRoot is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xc7033721.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function genesisRoot() view returns(uint256)
func (rollup *Rollup) TryPackGenesisRoot() ([]byte, error) {
	return rollup.abi.Pack("genesisRoot")
}

// UnpackGenesisRoot is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xc7033721.
//
// Solidity: function genesisRoot() view returns(uint256)
func (rollup *Rollup) UnpackGenesisRoot(data []byte) (*big.Int, error) {
	out, err := rollup.abi.Unpack("genesisRoot", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackGovernor is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x0c340a24.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function governor() view returns(address)
func (rollup *Rollup) PackGovernor() []byte {
	enc, err := rollup.abi.Pack("governor")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackGovernor is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x0c340a24.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function governor() view returns(address)
func (rollup *Rollup) TryPackGovernor() ([]byte, error) {
	return rollup.abi.Pack("governor")
}

// UnpackGovernor is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x0c340a24.
//
// Solidity: function governor() view returns(address)
func (rollup *Rollup) UnpackGovernor(data []byte) (common.Address, error) {
	out, err := rollup.abi.Unpack("governor", data)
	if err != nil {
		return *new(common.Address), err
	}
	out0 := *abi.ConvertType(out[0], new(common.Address)).(*common.Address)
	return out0, nil
}

// PackOperatorProposal is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xd4ab1d46.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function operatorProposal(address operator, bool allowed) pure returns(bytes32)
func (rollup *Rollup) PackOperatorProposal(operator common.Address, allowed bool) []byte {
	enc, err := rollup.abi.Pack("operatorProposal", operator, allowed)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackOperatorProposal is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xd4ab1d46.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function operatorProposal(address operator, bool allowed) pure returns(bytes32)
func (rollup *Rollup) TryPackOperatorProposal(operator common.Address, allowed bool) ([]byte, error) {
	return rollup.abi.Pack("operatorProposal", operator, allowed)
}

// UnpackOperatorProposal is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xd4ab1d46.
//
// Solidity: function operatorProposal(address operator, bool allowed) pure returns(bytes32)
func (rollup *Rollup) UnpackOperatorProposal(data []byte) ([32]byte, error) {
	out, err := rollup.abi.Unpack("operatorProposal", data)
	if err != nil {
		return *new([32]byte), err
	}
	out0 := *abi.ConvertType(out[0], new([32]byte)).(*[32]byte)
	return out0, nil
}

// PackOperators is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x13e7c9d8.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function operators(address ) view returns(bool)
func (rollup *Rollup) PackOperators(arg0 common.Address) []byte {
	enc, err := rollup.abi.Pack("operators", arg0)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackOperators is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x13e7c9d8.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function operators(address ) view returns(bool)
func (rollup *Rollup) TryPackOperators(arg0 common.Address) ([]byte, error) {
	return rollup.abi.Pack("operators", arg0)
}

// UnpackOperators is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x13e7c9d8.
//
// Solidity: function operators(address ) view returns(bool)
func (rollup *Rollup) UnpackOperators(data []byte) (bool, error) {
	out, err := rollup.abi.Unpack("operators", data)
	if err != nil {
		return *new(bool), err
	}
	out0 := *abi.ConvertType(out[0], new(bool)).(*bool)
	return out0, nil
}

// PackProposeOperator is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xb6462e7d.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function proposeOperator(address operator, bool allowed) returns()
func (rollup *Rollup) PackProposeOperator(operator common.Address, allowed bool) []byte {
	enc, err := rollup.abi.Pack("proposeOperator", operator, allowed)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackProposeOperator is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xb6462e7d.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function proposeOperator(address operator, bool allowed) returns()
func (rollup *Rollup) TryPackProposeOperator(operator common.Address, allowed bool) ([]byte, error) {
	return rollup.abi.Pack("proposeOperator", operator, allowed)
}

// PackProposeVerifier is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x9bb6d1fd.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function proposeVerifier((bytes32,bytes32,uint32,address,bytes32) registration) returns()
func (rollup *Rollup) PackProposeVerifier(registration RegistryRegistration) []byte {
	enc, err := rollup.abi.Pack("proposeVerifier", registration)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackProposeVerifier is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x9bb6d1fd.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function proposeVerifier((bytes32,bytes32,uint32,address,bytes32) registration) returns()
func (rollup *Rollup) TryPackProposeVerifier(registration RegistryRegistration) ([]byte, error) {
	return rollup.abi.Pack("proposeVerifier", registration)
}

// PackReadyAt is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xbea20801.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function readyAt(bytes32 ) view returns(uint256)
func (rollup *Rollup) PackReadyAt(arg0 [32]byte) []byte {
	enc, err := rollup.abi.Pack("readyAt", arg0)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackReadyAt is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xbea20801.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function readyAt(bytes32 ) view returns(uint256)
func (rollup *Rollup) TryPackReadyAt(arg0 [32]byte) ([]byte, error) {
	return rollup.abi.Pack("readyAt", arg0)
}

// UnpackReadyAt is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xbea20801.
//
// Solidity: function readyAt(bytes32 ) view returns(uint256)
func (rollup *Rollup) UnpackReadyAt(data []byte) (*big.Int, error) {
	out, err := rollup.abi.Unpack("readyAt", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackRoot is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xebf0c717.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function root() view returns(uint256)
func (rollup *Rollup) PackRoot() []byte {
	enc, err := rollup.abi.Pack("root")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackRoot is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xebf0c717.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function root() view returns(uint256)
func (rollup *Rollup) TryPackRoot() ([]byte, error) {
	return rollup.abi.Pack("root")
}

// UnpackRoot is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xebf0c717.
//
// Solidity: function root() view returns(uint256)
func (rollup *Rollup) UnpackRoot(data []byte) (*big.Int, error) {
	out, err := rollup.abi.Unpack("root", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackSettle is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x583ace1c.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function settle(bytes32 shape, uint32 version, uint256 commitment, uint256[] words, bytes proof) returns()
func (rollup *Rollup) PackSettle(shape [32]byte, version uint32, commitment *big.Int, words []*big.Int, proof []byte) []byte {
	enc, err := rollup.abi.Pack("settle", shape, version, commitment, words, proof)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackSettle is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x583ace1c.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function settle(bytes32 shape, uint32 version, uint256 commitment, uint256[] words, bytes proof) returns()
func (rollup *Rollup) TryPackSettle(shape [32]byte, version uint32, commitment *big.Int, words []*big.Int, proof []byte) ([]byte, error) {
	return rollup.abi.Pack("settle", shape, version, commitment, words, proof)
}

// PackUnsafeDevKeys is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xa10fe286.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function unsafeDevKeys() view returns(bool)
func (rollup *Rollup) PackUnsafeDevKeys() []byte {
	enc, err := rollup.abi.Pack("unsafeDevKeys")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackUnsafeDevKeys is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xa10fe286.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function unsafeDevKeys() view returns(bool)
func (rollup *Rollup) TryPackUnsafeDevKeys() ([]byte, error) {
	return rollup.abi.Pack("unsafeDevKeys")
}

// UnpackUnsafeDevKeys is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xa10fe286.
//
// Solidity: function unsafeDevKeys() view returns(bool)
func (rollup *Rollup) UnpackUnsafeDevKeys(data []byte) (bool, error) {
	out, err := rollup.abi.Unpack("unsafeDevKeys", data)
	if err != nil {
		return *new(bool), err
	}
	out0 := *abi.ConvertType(out[0], new(bool)).(*bool)
	return out0, nil
}

// PackVerifierProposal is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x8468bb0d.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function verifierProposal((bytes32,bytes32,uint32,address,bytes32) registration) view returns(bytes32)
func (rollup *Rollup) PackVerifierProposal(registration RegistryRegistration) []byte {
	enc, err := rollup.abi.Pack("verifierProposal", registration)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackVerifierProposal is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x8468bb0d.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function verifierProposal((bytes32,bytes32,uint32,address,bytes32) registration) view returns(bytes32)
func (rollup *Rollup) TryPackVerifierProposal(registration RegistryRegistration) ([]byte, error) {
	return rollup.abi.Pack("verifierProposal", registration)
}

// UnpackVerifierProposal is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x8468bb0d.
//
// Solidity: function verifierProposal((bytes32,bytes32,uint32,address,bytes32) registration) view returns(bytes32)
func (rollup *Rollup) UnpackVerifierProposal(data []byte) ([32]byte, error) {
	out, err := rollup.abi.Unpack("verifierProposal", data)
	if err != nil {
		return *new([32]byte), err
	}
	out0 := *abi.ConvertType(out[0], new([32]byte)).(*[32]byte)
	return out0, nil
}

// RollupBatchSettled represents a BatchSettled event raised by the Rollup contract.
type RollupBatchSettled struct {
	Number     uint32
	NewRoot    *big.Int
	Commitment *big.Int
	Raw        *types.Log // Blockchain specific contextual infos
}

const RollupBatchSettledEventName = "BatchSettled"

// ContractEventName returns the user-defined event name.
func (RollupBatchSettled) ContractEventName() string {
	return RollupBatchSettledEventName
}

// UnpackBatchSettledEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event BatchSettled(uint32 indexed number, uint256 newRoot, uint256 commitment)
func (rollup *Rollup) UnpackBatchSettledEvent(log *types.Log) (*RollupBatchSettled, error) {
	event := "BatchSettled"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != rollup.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(RollupBatchSettled)
	if len(log.Data) > 0 {
		if err := rollup.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range rollup.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// RollupCancelled represents a Cancelled event raised by the Rollup contract.
type RollupCancelled struct {
	Proposal [32]byte
	Raw      *types.Log // Blockchain specific contextual infos
}

const RollupCancelledEventName = "Cancelled"

// ContractEventName returns the user-defined event name.
func (RollupCancelled) ContractEventName() string {
	return RollupCancelledEventName
}

// UnpackCancelledEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event Cancelled(bytes32 indexed proposal)
func (rollup *Rollup) UnpackCancelledEvent(log *types.Log) (*RollupCancelled, error) {
	event := "Cancelled"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != rollup.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(RollupCancelled)
	if len(log.Data) > 0 {
		if err := rollup.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range rollup.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// RollupOperatorProposed represents a OperatorProposed event raised by the Rollup contract.
type RollupOperatorProposed struct {
	Proposal [32]byte
	Operator common.Address
	Allowed  bool
	ReadyAt  *big.Int
	Raw      *types.Log // Blockchain specific contextual infos
}

const RollupOperatorProposedEventName = "OperatorProposed"

// ContractEventName returns the user-defined event name.
func (RollupOperatorProposed) ContractEventName() string {
	return RollupOperatorProposedEventName
}

// UnpackOperatorProposedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event OperatorProposed(bytes32 indexed proposal, address operator, bool allowed, uint256 readyAt)
func (rollup *Rollup) UnpackOperatorProposedEvent(log *types.Log) (*RollupOperatorProposed, error) {
	event := "OperatorProposed"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != rollup.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(RollupOperatorProposed)
	if len(log.Data) > 0 {
		if err := rollup.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range rollup.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// RollupOperatorSet represents a OperatorSet event raised by the Rollup contract.
type RollupOperatorSet struct {
	Operator common.Address
	Allowed  bool
	Raw      *types.Log // Blockchain specific contextual infos
}

const RollupOperatorSetEventName = "OperatorSet"

// ContractEventName returns the user-defined event name.
func (RollupOperatorSet) ContractEventName() string {
	return RollupOperatorSetEventName
}

// UnpackOperatorSetEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event OperatorSet(address indexed operator, bool allowed)
func (rollup *Rollup) UnpackOperatorSetEvent(log *types.Log) (*RollupOperatorSet, error) {
	event := "OperatorSet"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != rollup.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(RollupOperatorSet)
	if len(log.Data) > 0 {
		if err := rollup.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range rollup.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// RollupVerifierProposed represents a VerifierProposed event raised by the Rollup contract.
type RollupVerifierProposed struct {
	Proposal     [32]byte
	Registration RegistryRegistration
	ReadyAt      *big.Int
	Raw          *types.Log // Blockchain specific contextual infos
}

const RollupVerifierProposedEventName = "VerifierProposed"

// ContractEventName returns the user-defined event name.
func (RollupVerifierProposed) ContractEventName() string {
	return RollupVerifierProposedEventName
}

// UnpackVerifierProposedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event VerifierProposed(bytes32 indexed proposal, (bytes32,bytes32,uint32,address,bytes32) registration, uint256 readyAt)
func (rollup *Rollup) UnpackVerifierProposedEvent(log *types.Log) (*RollupVerifierProposed, error) {
	event := "VerifierProposed"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != rollup.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(RollupVerifierProposed)
	if len(log.Data) > 0 {
		if err := rollup.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range rollup.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// RollupVerifierRegistered represents a VerifierRegistered event raised by the Rollup contract.
type RollupVerifierRegistered struct {
	Circuit  [32]byte
	Shape    [32]byte
	Version  uint32
	Verifier common.Address
	KeyHash  [32]byte
	Raw      *types.Log // Blockchain specific contextual infos
}

const RollupVerifierRegisteredEventName = "VerifierRegistered"

// ContractEventName returns the user-defined event name.
func (RollupVerifierRegistered) ContractEventName() string {
	return RollupVerifierRegisteredEventName
}

// UnpackVerifierRegisteredEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event VerifierRegistered(bytes32 indexed circuit, bytes32 indexed shape, uint32 indexed version, address verifier, bytes32 keyHash)
func (rollup *Rollup) UnpackVerifierRegisteredEvent(log *types.Log) (*RollupVerifierRegistered, error) {
	event := "VerifierRegistered"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != rollup.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(RollupVerifierRegistered)
	if len(log.Data) > 0 {
		if err := rollup.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range rollup.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// UnpackError attempts to decode the provided error data using user-defined
// error definitions.
func (rollup *Rollup) UnpackError(raw []byte) (any, error) {
	if bytes.Equal(raw[:4], rollup.abi.Errors["AlreadyProposed"].ID.Bytes()[:4]) {
		return rollup.UnpackAlreadyProposedError(raw[4:])
	}
	if bytes.Equal(raw[:4], rollup.abi.Errors["ChainIdTooLarge"].ID.Bytes()[:4]) {
		return rollup.UnpackChainIdTooLargeError(raw[4:])
	}
	if bytes.Equal(raw[:4], rollup.abi.Errors["CommitmentNotInField"].ID.Bytes()[:4]) {
		return rollup.UnpackCommitmentNotInFieldError(raw[4:])
	}
	if bytes.Equal(raw[:4], rollup.abi.Errors["CountsOutOfRange"].ID.Bytes()[:4]) {
		return rollup.UnpackCountsOutOfRangeError(raw[4:])
	}
	if bytes.Equal(raw[:4], rollup.abi.Errors["DelayTooLong"].ID.Bytes()[:4]) {
		return rollup.UnpackDelayTooLongError(raw[4:])
	}
	if bytes.Equal(raw[:4], rollup.abi.Errors["DelayTooShort"].ID.Bytes()[:4]) {
		return rollup.UnpackDelayTooShortError(raw[4:])
	}
	if bytes.Equal(raw[:4], rollup.abi.Errors["EntryExists"].ID.Bytes()[:4]) {
		return rollup.UnpackEntryExistsError(raw[4:])
	}
	if bytes.Equal(raw[:4], rollup.abi.Errors["GenesisRootNotInField"].ID.Bytes()[:4]) {
		return rollup.UnpackGenesisRootNotInFieldError(raw[4:])
	}
	if bytes.Equal(raw[:4], rollup.abi.Errors["KeyHashMismatch"].ID.Bytes()[:4]) {
		return rollup.UnpackKeyHashMismatchError(raw[4:])
	}
	if bytes.Equal(raw[:4], rollup.abi.Errors["MissingAddress"].ID.Bytes()[:4]) {
		return rollup.UnpackMissingAddressError(raw[4:])
	}
	if bytes.Equal(raw[:4], rollup.abi.Errors["NotGovernor"].ID.Bytes()[:4]) {
		return rollup.UnpackNotGovernorError(raw[4:])
	}
	if bytes.Equal(raw[:4], rollup.abi.Errors["NotOperator"].ID.Bytes()[:4]) {
		return rollup.UnpackNotOperatorError(raw[4:])
	}
	if bytes.Equal(raw[:4], rollup.abi.Errors["NotProposed"].ID.Bytes()[:4]) {
		return rollup.UnpackNotProposedError(raw[4:])
	}
	if bytes.Equal(raw[:4], rollup.abi.Errors["RecordsNotSupported"].ID.Bytes()[:4]) {
		return rollup.UnpackRecordsNotSupportedError(raw[4:])
	}
	if bytes.Equal(raw[:4], rollup.abi.Errors["TooEarly"].ID.Bytes()[:4]) {
		return rollup.UnpackTooEarlyError(raw[4:])
	}
	if bytes.Equal(raw[:4], rollup.abi.Errors["TooLate"].ID.Bytes()[:4]) {
		return rollup.UnpackTooLateError(raw[4:])
	}
	if bytes.Equal(raw[:4], rollup.abi.Errors["UnknownVerifier"].ID.Bytes()[:4]) {
		return rollup.UnpackUnknownVerifierError(raw[4:])
	}
	if bytes.Equal(raw[:4], rollup.abi.Errors["VerifierChanged"].ID.Bytes()[:4]) {
		return rollup.UnpackVerifierChangedError(raw[4:])
	}
	if bytes.Equal(raw[:4], rollup.abi.Errors["WordNotInField"].ID.Bytes()[:4]) {
		return rollup.UnpackWordNotInFieldError(raw[4:])
	}
	if bytes.Equal(raw[:4], rollup.abi.Errors["WrongDomain"].ID.Bytes()[:4]) {
		return rollup.UnpackWrongDomainError(raw[4:])
	}
	if bytes.Equal(raw[:4], rollup.abi.Errors["WrongLength"].ID.Bytes()[:4]) {
		return rollup.UnpackWrongLengthError(raw[4:])
	}
	if bytes.Equal(raw[:4], rollup.abi.Errors["WrongNumber"].ID.Bytes()[:4]) {
		return rollup.UnpackWrongNumberError(raw[4:])
	}
	if bytes.Equal(raw[:4], rollup.abi.Errors["WrongOldRoot"].ID.Bytes()[:4]) {
		return rollup.UnpackWrongOldRootError(raw[4:])
	}
	return nil, errors.New("Unknown error")
}

// RollupAlreadyProposed represents a AlreadyProposed error raised by the Rollup contract.
type RollupAlreadyProposed struct {
	Proposal [32]byte
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error AlreadyProposed(bytes32 proposal)
func RollupAlreadyProposedErrorID() common.Hash {
	return common.HexToHash("0x56a75c36b89f73357aecb788326fb064e96cb690c485890e6b0476bb0a008ebe")
}

// UnpackAlreadyProposedError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error AlreadyProposed(bytes32 proposal)
func (rollup *Rollup) UnpackAlreadyProposedError(raw []byte) (*RollupAlreadyProposed, error) {
	out := new(RollupAlreadyProposed)
	if err := rollup.abi.UnpackIntoInterface(out, "AlreadyProposed", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// RollupChainIdTooLarge represents a ChainIdTooLarge error raised by the Rollup contract.
type RollupChainIdTooLarge struct {
	ChainId *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error ChainIdTooLarge(uint256 chainId)
func RollupChainIdTooLargeErrorID() common.Hash {
	return common.HexToHash("0x20c7e402d1d3fef7d521baf9ca7d2519b0cbf00ec35953062b553ec3f2d62e98")
}

// UnpackChainIdTooLargeError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error ChainIdTooLarge(uint256 chainId)
func (rollup *Rollup) UnpackChainIdTooLargeError(raw []byte) (*RollupChainIdTooLarge, error) {
	out := new(RollupChainIdTooLarge)
	if err := rollup.abi.UnpackIntoInterface(out, "ChainIdTooLarge", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// RollupCommitmentNotInField represents a CommitmentNotInField error raised by the Rollup contract.
type RollupCommitmentNotInField struct {
	Commitment *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error CommitmentNotInField(uint256 commitment)
func RollupCommitmentNotInFieldErrorID() common.Hash {
	return common.HexToHash("0x15805a46cdc01946c97db7bceb6e462b0a981f77da40f2e561a19f8dbf5b521b")
}

// UnpackCommitmentNotInFieldError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error CommitmentNotInField(uint256 commitment)
func (rollup *Rollup) UnpackCommitmentNotInFieldError(raw []byte) (*RollupCommitmentNotInField, error) {
	out := new(RollupCommitmentNotInField)
	if err := rollup.abi.UnpackIntoInterface(out, "CommitmentNotInField", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// RollupCountsOutOfRange represents a CountsOutOfRange error raised by the Rollup contract.
type RollupCountsOutOfRange struct {
	Counts *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error CountsOutOfRange(uint256 counts)
func RollupCountsOutOfRangeErrorID() common.Hash {
	return common.HexToHash("0x91eadad50a33e296c3a63811555798068ccbdb97226a2ee9d976b695ad242284")
}

// UnpackCountsOutOfRangeError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error CountsOutOfRange(uint256 counts)
func (rollup *Rollup) UnpackCountsOutOfRangeError(raw []byte) (*RollupCountsOutOfRange, error) {
	out := new(RollupCountsOutOfRange)
	if err := rollup.abi.UnpackIntoInterface(out, "CountsOutOfRange", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// RollupDelayTooLong represents a DelayTooLong error raised by the Rollup contract.
type RollupDelayTooLong struct {
	Delay   *big.Int
	Maximum *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error DelayTooLong(uint256 delay, uint256 maximum)
func RollupDelayTooLongErrorID() common.Hash {
	return common.HexToHash("0x73100978d0443b5ab4da3f22298f2e1d536636d8cfad8c8ae07e8f2c1dd0c16d")
}

// UnpackDelayTooLongError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error DelayTooLong(uint256 delay, uint256 maximum)
func (rollup *Rollup) UnpackDelayTooLongError(raw []byte) (*RollupDelayTooLong, error) {
	out := new(RollupDelayTooLong)
	if err := rollup.abi.UnpackIntoInterface(out, "DelayTooLong", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// RollupDelayTooShort represents a DelayTooShort error raised by the Rollup contract.
type RollupDelayTooShort struct {
	Delay   *big.Int
	Minimum *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error DelayTooShort(uint256 delay, uint256 minimum)
func RollupDelayTooShortErrorID() common.Hash {
	return common.HexToHash("0xd6ef4a310c6975f29f9dcc4a67ede2f7e8459e114ba5a5e569e1d65c8ea1d7f4")
}

// UnpackDelayTooShortError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error DelayTooShort(uint256 delay, uint256 minimum)
func (rollup *Rollup) UnpackDelayTooShortError(raw []byte) (*RollupDelayTooShort, error) {
	out := new(RollupDelayTooShort)
	if err := rollup.abi.UnpackIntoInterface(out, "DelayTooShort", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// RollupEntryExists represents a EntryExists error raised by the Rollup contract.
type RollupEntryExists struct {
	Circuit [32]byte
	Shape   [32]byte
	Version uint32
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error EntryExists(bytes32 circuit, bytes32 shape, uint32 version)
func RollupEntryExistsErrorID() common.Hash {
	return common.HexToHash("0xac1d0d1b06dc5f3e0df2bc706b34bfb5342c404f80603763b4a985a265eb7159")
}

// UnpackEntryExistsError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error EntryExists(bytes32 circuit, bytes32 shape, uint32 version)
func (rollup *Rollup) UnpackEntryExistsError(raw []byte) (*RollupEntryExists, error) {
	out := new(RollupEntryExists)
	if err := rollup.abi.UnpackIntoInterface(out, "EntryExists", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// RollupGenesisRootNotInField represents a GenesisRootNotInField error raised by the Rollup contract.
type RollupGenesisRootNotInField struct {
	Root *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error GenesisRootNotInField(uint256 root)
func RollupGenesisRootNotInFieldErrorID() common.Hash {
	return common.HexToHash("0xb404ed41a5677b21a647bb40673e28ae35b4a9e9850569617e93a7aaeca94df0")
}

// UnpackGenesisRootNotInFieldError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error GenesisRootNotInField(uint256 root)
func (rollup *Rollup) UnpackGenesisRootNotInFieldError(raw []byte) (*RollupGenesisRootNotInField, error) {
	out := new(RollupGenesisRootNotInField)
	if err := rollup.abi.UnpackIntoInterface(out, "GenesisRootNotInField", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// RollupKeyHashMismatch represents a KeyHashMismatch error raised by the Rollup contract.
type RollupKeyHashMismatch struct {
	Got  [32]byte
	Want [32]byte
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error KeyHashMismatch(bytes32 got, bytes32 want)
func RollupKeyHashMismatchErrorID() common.Hash {
	return common.HexToHash("0x87f48344434ba4015acbdeff804844af7c4af47096a029a9bd329277b9fe5983")
}

// UnpackKeyHashMismatchError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error KeyHashMismatch(bytes32 got, bytes32 want)
func (rollup *Rollup) UnpackKeyHashMismatchError(raw []byte) (*RollupKeyHashMismatch, error) {
	out := new(RollupKeyHashMismatch)
	if err := rollup.abi.UnpackIntoInterface(out, "KeyHashMismatch", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// RollupMissingAddress represents a MissingAddress error raised by the Rollup contract.
type RollupMissingAddress struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error MissingAddress()
func RollupMissingAddressErrorID() common.Hash {
	return common.HexToHash("0xe8c76b8c27d8120b10ab514af0c20662a7e55e390ff5e484eb6c5b70e9c0b16d")
}

// UnpackMissingAddressError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error MissingAddress()
func (rollup *Rollup) UnpackMissingAddressError(raw []byte) (*RollupMissingAddress, error) {
	out := new(RollupMissingAddress)
	if err := rollup.abi.UnpackIntoInterface(out, "MissingAddress", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// RollupNotGovernor represents a NotGovernor error raised by the Rollup contract.
type RollupNotGovernor struct {
	Sender common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error NotGovernor(address sender)
func RollupNotGovernorErrorID() common.Hash {
	return common.HexToHash("0xad0550d5f64f904d6845e2da1145f7625e411009b26be2bd68f5c8a432c0b075")
}

// UnpackNotGovernorError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error NotGovernor(address sender)
func (rollup *Rollup) UnpackNotGovernorError(raw []byte) (*RollupNotGovernor, error) {
	out := new(RollupNotGovernor)
	if err := rollup.abi.UnpackIntoInterface(out, "NotGovernor", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// RollupNotOperator represents a NotOperator error raised by the Rollup contract.
type RollupNotOperator struct {
	Sender common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error NotOperator(address sender)
func RollupNotOperatorErrorID() common.Hash {
	return common.HexToHash("0x76c6c93a6423c7e2cef5f93921b1d4d1a5ffb795cd7cfed2df95566b7c7f7c40")
}

// UnpackNotOperatorError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error NotOperator(address sender)
func (rollup *Rollup) UnpackNotOperatorError(raw []byte) (*RollupNotOperator, error) {
	out := new(RollupNotOperator)
	if err := rollup.abi.UnpackIntoInterface(out, "NotOperator", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// RollupNotProposed represents a NotProposed error raised by the Rollup contract.
type RollupNotProposed struct {
	Proposal [32]byte
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error NotProposed(bytes32 proposal)
func RollupNotProposedErrorID() common.Hash {
	return common.HexToHash("0x506e52584b12705f49f841afc69fa8ac2e0d91ac765bfcf0a52b9e2eb021d96b")
}

// UnpackNotProposedError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error NotProposed(bytes32 proposal)
func (rollup *Rollup) UnpackNotProposedError(raw []byte) (*RollupNotProposed, error) {
	out := new(RollupNotProposed)
	if err := rollup.abi.UnpackIntoInterface(out, "NotProposed", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// RollupRecordsNotSupported represents a RecordsNotSupported error raised by the Rollup contract.
type RollupRecordsNotSupported struct {
	L1Operations *big.Int
	Opens        *big.Int
	Exits        *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error RecordsNotSupported(uint256 l1Operations, uint256 opens, uint256 exits)
func RollupRecordsNotSupportedErrorID() common.Hash {
	return common.HexToHash("0x32495f81b14f6cfad47389485804cd34f37f5109083bf39eeb1a365c10e2a7eb")
}

// UnpackRecordsNotSupportedError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error RecordsNotSupported(uint256 l1Operations, uint256 opens, uint256 exits)
func (rollup *Rollup) UnpackRecordsNotSupportedError(raw []byte) (*RollupRecordsNotSupported, error) {
	out := new(RollupRecordsNotSupported)
	if err := rollup.abi.UnpackIntoInterface(out, "RecordsNotSupported", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// RollupTooEarly represents a TooEarly error raised by the Rollup contract.
type RollupTooEarly struct {
	ReadyAt *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error TooEarly(uint256 readyAt)
func RollupTooEarlyErrorID() common.Hash {
	return common.HexToHash("0x2a35a3246d5070e2b118858c24c2c4d23eaebe645b92ab746b92dd600c35a9d7")
}

// UnpackTooEarlyError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error TooEarly(uint256 readyAt)
func (rollup *Rollup) UnpackTooEarlyError(raw []byte) (*RollupTooEarly, error) {
	out := new(RollupTooEarly)
	if err := rollup.abi.UnpackIntoInterface(out, "TooEarly", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// RollupTooLate represents a TooLate error raised by the Rollup contract.
type RollupTooLate struct {
	ExpiredAt *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error TooLate(uint256 expiredAt)
func RollupTooLateErrorID() common.Hash {
	return common.HexToHash("0x691e5682c05af91a82d806fceac093f8891d2c453dfc42c67196c1ccdb7b8be1")
}

// UnpackTooLateError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error TooLate(uint256 expiredAt)
func (rollup *Rollup) UnpackTooLateError(raw []byte) (*RollupTooLate, error) {
	out := new(RollupTooLate)
	if err := rollup.abi.UnpackIntoInterface(out, "TooLate", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// RollupUnknownVerifier represents a UnknownVerifier error raised by the Rollup contract.
type RollupUnknownVerifier struct {
	Shape   [32]byte
	Version uint32
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error UnknownVerifier(bytes32 shape, uint32 version)
func RollupUnknownVerifierErrorID() common.Hash {
	return common.HexToHash("0xaebb53013b0606681643fc2c2c8300ffd6f77309b74c10c2fc05dd2fc968e604")
}

// UnpackUnknownVerifierError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error UnknownVerifier(bytes32 shape, uint32 version)
func (rollup *Rollup) UnpackUnknownVerifierError(raw []byte) (*RollupUnknownVerifier, error) {
	out := new(RollupUnknownVerifier)
	if err := rollup.abi.UnpackIntoInterface(out, "UnknownVerifier", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// RollupVerifierChanged represents a VerifierChanged error raised by the Rollup contract.
type RollupVerifierChanged struct {
	Verifier common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error VerifierChanged(address verifier)
func RollupVerifierChangedErrorID() common.Hash {
	return common.HexToHash("0x00accbf0787bf565863b49aef6d6d8ff2f631f1da95c76e016aed7a21a11a7b7")
}

// UnpackVerifierChangedError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error VerifierChanged(address verifier)
func (rollup *Rollup) UnpackVerifierChangedError(raw []byte) (*RollupVerifierChanged, error) {
	out := new(RollupVerifierChanged)
	if err := rollup.abi.UnpackIntoInterface(out, "VerifierChanged", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// RollupWordNotInField represents a WordNotInField error raised by the Rollup contract.
type RollupWordNotInField struct {
	Index *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error WordNotInField(uint256 index)
func RollupWordNotInFieldErrorID() common.Hash {
	return common.HexToHash("0x2753c4f5443074355ae26324b107c14c4d7a82ae59d8a5a95497a35367cd4db8")
}

// UnpackWordNotInFieldError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error WordNotInField(uint256 index)
func (rollup *Rollup) UnpackWordNotInFieldError(raw []byte) (*RollupWordNotInField, error) {
	out := new(RollupWordNotInField)
	if err := rollup.abi.UnpackIntoInterface(out, "WordNotInField", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// RollupWrongDomain represents a WrongDomain error raised by the Rollup contract.
type RollupWrongDomain struct {
	Got  *big.Int
	Want *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error WrongDomain(uint256 got, uint256 want)
func RollupWrongDomainErrorID() common.Hash {
	return common.HexToHash("0x100f61d490f12e4bd455cbee65d128bd1602effb6c9f3de54b78a9d3d486f32e")
}

// UnpackWrongDomainError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error WrongDomain(uint256 got, uint256 want)
func (rollup *Rollup) UnpackWrongDomainError(raw []byte) (*RollupWrongDomain, error) {
	out := new(RollupWrongDomain)
	if err := rollup.abi.UnpackIntoInterface(out, "WrongDomain", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// RollupWrongLength represents a WrongLength error raised by the Rollup contract.
type RollupWrongLength struct {
	Got  *big.Int
	Want *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error WrongLength(uint256 got, uint256 want)
func RollupWrongLengthErrorID() common.Hash {
	return common.HexToHash("0xb863f041bf6aff61fa0ea5c91718133c5e765a3553b440116c18bf85010c5dba")
}

// UnpackWrongLengthError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error WrongLength(uint256 got, uint256 want)
func (rollup *Rollup) UnpackWrongLengthError(raw []byte) (*RollupWrongLength, error) {
	out := new(RollupWrongLength)
	if err := rollup.abi.UnpackIntoInterface(out, "WrongLength", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// RollupWrongNumber represents a WrongNumber error raised by the Rollup contract.
type RollupWrongNumber struct {
	Got  *big.Int
	Want *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error WrongNumber(uint256 got, uint256 want)
func RollupWrongNumberErrorID() common.Hash {
	return common.HexToHash("0x5af70411fd7d25907dc8f84720febac1643ea2e82ddfde91a001fd908f18e659")
}

// UnpackWrongNumberError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error WrongNumber(uint256 got, uint256 want)
func (rollup *Rollup) UnpackWrongNumberError(raw []byte) (*RollupWrongNumber, error) {
	out := new(RollupWrongNumber)
	if err := rollup.abi.UnpackIntoInterface(out, "WrongNumber", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// RollupWrongOldRoot represents a WrongOldRoot error raised by the Rollup contract.
type RollupWrongOldRoot struct {
	Got  *big.Int
	Want *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error WrongOldRoot(uint256 got, uint256 want)
func RollupWrongOldRootErrorID() common.Hash {
	return common.HexToHash("0x5ed96baa6c031c1eda0be5eb91571bd1aabdf00ccb015aba50fc626b87e1e331")
}

// UnpackWrongOldRootError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error WrongOldRoot(uint256 got, uint256 want)
func (rollup *Rollup) UnpackWrongOldRootError(raw []byte) (*RollupWrongOldRoot, error) {
	out := new(RollupWrongOldRoot)
	if err := rollup.abi.UnpackIntoInterface(out, "WrongOldRoot", raw); err != nil {
		return nil, err
	}
	return out, nil
}
