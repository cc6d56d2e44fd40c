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

// Groth16VerifierMetaData contains all meta data concerning the Groth16Verifier contract.
var Groth16VerifierMetaData = bind.MetaData{
	ABI: "[{\"inputs\":[{\"internalType\":\"uint256[]\",\"name\":\"key\",\"type\":\"uint256[]\"}],\"stateMutability\":\"nonpayable\",\"type\":\"constructor\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"index\",\"type\":\"uint256\"}],\"name\":\"CoordinateNotInField\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"index\",\"type\":\"uint256\"}],\"name\":\"InputNotInField\",\"type\":\"error\"},{\"inputs\":[],\"name\":\"InvalidProof\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"index\",\"type\":\"uint256\"}],\"name\":\"PointAtInfinity\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"index\",\"type\":\"uint256\"}],\"name\":\"PointNotInSubgroup\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"index\",\"type\":\"uint256\"}],\"name\":\"PointNotOnCurve\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"string\",\"name\":\"reason\",\"type\":\"string\"}],\"name\":\"UnsafeKey\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"words\",\"type\":\"uint256\"}],\"name\":\"WrongKeyLength\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"got\",\"type\":\"uint256\"}],\"name\":\"WrongProofLength\",\"type\":\"error\"},{\"inputs\":[],\"name\":\"keyHash\",\"outputs\":[{\"internalType\":\"bytes32\",\"name\":\"\",\"type\":\"bytes32\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"bytes\",\"name\":\"proof\",\"type\":\"bytes\"},{\"internalType\":\"uint256[3]\",\"name\":\"inputs\",\"type\":\"uint256[3]\"}],\"name\":\"verify\",\"outputs\":[],\"stateMutability\":\"view\",\"type\":\"function\"}]",
	ID:  "Groth16Verifier",
	Bin: "0x6104a0604052348015610010575f5ffd5b50604051611b11380380611b1183398101604081905261002f91610c38565b610038816104f4565b60028160405160200161004b9190610cff565b60408051601f198184030181529082905261006591610d34565b602060405180830381855afa158015610080573d5f5f3e3d5ffd5b5050506040513d601f19601f820116820180604052508101906100a39190610d4a565b608052805181905f906100b8576100b8610d61565b602002602001015160a08181525050806001815181106100da576100da610d61565b602002602001015160c08181525050806002815181106100fc576100fc610d61565b602002602001015160e081815250508060038151811061011e5761011e610d61565b602002602001015161010081815250506101578160048151811061014457610144610d61565b602002602001015161060160201b60201c565b610120528051610174908290600590811061014457610144610d61565b6101405280518190600690811061018d5761018d610d61565b60200260200101516101608181525050806007815181106101b0576101b0610d61565b602002602001015161018081815250506101d68160088151811061014457610144610d61565b6101a05280516101f3908290600990811061014457610144610d61565b6101c05280518190600a90811061020c5761020c610d61565b60200260200101516101e0818152505080600b8151811061022f5761022f610d61565b6020026020010151610200818152505061025581600c8151811061014457610144610d61565b610220528051610272908290600d90811061014457610144610d61565b6102405280518190600e90811061028b5761028b610d61565b6020026020010151610260818152505080600f815181106102ae576102ae610d61565b60200260200101516102808181525050806010815181106102d1576102d1610d61565b60200260200101516102a08181525050806011815181106102f4576102f4610d61565b60200260200101516102c081815250508060128151811061031757610317610d61565b60200260200101516102e081815250508060138151811061033a5761033a610d61565b602002602001015161030081815250508060148151811061035d5761035d610d61565b602002602001015161032081815250508060158151811061038057610380610d61565b60200260200101516103408181525050806016815181106103a3576103a3610d61565b60200260200101516103608181525050806017815181106103c6576103c6610d61565b60200260200101516103808181525050806018815181106103e9576103e9610d61565b60200260200101516103a081815250508060198151811061040c5761040c610d61565b60200260200101516103c0818152505080601a8151811061042f5761042f610d61565b60200260200101516103e0818152505080601b8151811061045257610452610d61565b6020026020010151610400818152505080601c8151811061047557610475610d61565b6020026020010151610420818152505080601d8151811061049857610498610d61565b6020026020010151610440818152505080601e815181106104bb576104bb610d61565b6020026020010151610460818152505080601f815181106104de576104de610d61565b6020026020010151610480818152505050610dc6565b6020815114610524578051604051631ea34bfd60e21b815260040161051b91815260200190565b60405180910390fd5b5f5b6020811015610580575f516020611af15f395f51905f5282828151811061054f5761054f610d61565b60200260200101511061057857604051634b296f9960e11b81526004810182905260240161051b565b600101610526565b5061058b815f61062c565b5f5b60058110156105bd576105b5826105a5836002610d89565b6105b090600e610da0565b61062c565b60010161058d565b506105c981600261070a565b6105d481600661070a565b6105df81600a61070a565b6105ea81601861070a565b6105f581601c61070a565b6105fe816108a8565b50565b5f81156106245761061f825f516020611af15f395f51905f52610db3565b610626565b5f5b92915050565b5f82828151811061063f5761063f610d61565b602002602001015190505f838360016106589190610da0565b8151811061066857610668610d61565b60200260200101519050815f14801561067f575080155b156106a057604051632093e88360e21b81526004810184905260240161051b565b5f516020611af15f395f51905f5260035f516020611af15f395f51905f52845f516020611af15f395f51905f5286870909085f516020611af15f395f51905f5282830914610704576040516345f149a760e11b81526004810184905260240161051b565b50505050565b81610716826003610da0565b8151811061072657610726610d61565b60200260200101518282600261073c9190610da0565b8151811061074c5761074c610d61565b6020026020010151838360016107629190610da0565b8151811061077257610772610d61565b602002602001015184848151811061078c5761078c610d61565b60200260200101511717175f036107b957604051632093e88360e21b81526004810182905260240161051b565b5f6040518060c001604052805f81526020015f81526020018484815181106107e3576107e3610d61565b60200260200101518152602001848460016107fe9190610da0565b8151811061080e5761080e610d61565b60200260200101518152602001848460026108299190610da0565b8151811061083957610839610d61565b60200260200101518152602001848460036108549190610da0565b8151811061086457610864610d61565b602002602001015181525090505f60208260c0846008620186a0fa8251600114169050806107045760405163b7c5aacb60e01b81526004810184905260240161051b565b6001815f815181106108bc576108bc610d61565b60200260200101510361091257604051637cb69a2760e11b815260206004820152601460248201527f616c70686120697320612067656e657261746f72000000000000000000000000604482015260640161051b565b61091d816002610b01565b1561096b57604051637cb69a2760e11b815260206004820152601360248201527f6265746120697320612067656e657261746f7200000000000000000000000000604482015260640161051b565b61097881600a6006610b93565b156109b757604051637cb69a2760e11b815260206004820152600e60248201526d64656c74612069732067616d6d6160901b604482015260640161051b565b6109c281600a610b01565b15610a1057604051637cb69a2760e11b815260206004820152601460248201527f64656c746120697320612067656e657261746f72000000000000000000000000604482015260640161051b565b610a1d8160026006610b93565b15610a5b57604051637cb69a2760e11b815260206004820152600d60248201526c626574612069732067616d6d6160981b604482015260640161051b565b610a68816002600a610b93565b15610aa657604051637cb69a2760e11b815260206004820152600d60248201526c626574612069732064656c746160981b604482015260640161051b565b610ab381601c6018610b93565b156105fe57604051637cb69a2760e11b815260206004820152601860248201527f636f6d6d69746d656e7420736563726574206973206f6e650000000000000000604482015260640161051b565b5f7f198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2838381518110610b3557610b35610d61565b6020026020010151148015610b8c57507f1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed83610b72846001610da0565b81518110610b8257610b82610d61565b6020026020010151145b9392505050565b5f838281518110610ba657610ba6610d61565b6020026020010151848481518110610bc057610bc0610d61565b6020026020010151148015610c1c575083610bdc836001610da0565b81518110610bec57610bec610d61565b602002602001015184846001610c029190610da0565b81518110610c1257610c12610d61565b6020026020010151145b949350505050565b634e487b7160e01b5f52604160045260245ffd5b5f60208284031215610c48575f5ffd5b81516001600160401b03811115610c5d575f5ffd5b8201601f81018413610c6d575f5ffd5b80516001600160401b03811115610c8657610c86610c24565b604051600582901b90603f8201601f191681016001600160401b0381118282101715610cb457610cb4610c24565b604052918252602081840181019290810187841115610cd1575f5ffd5b6020850194505b83851015610cf457845180825260209586019590935001610cd8565b509695505050505050565b81515f90829060208501835b82811015610d29578151845260209384019390910190600101610d0b565b509195945050505050565b5f82518060208501845e5f920191825250919050565b5f60208284031215610d5a575f5ffd5b5051919050565b634e487b7160e01b5f52603260045260245ffd5b634e487b7160e01b5f52601160045260245ffd5b808202811582820484141761062657610626610d75565b8082018082111561062657610626610d75565b8181038181111561062657610626610d75565b60805160a05160c05160e05161010051610120516101405161016051610180516101a0516101c0516101e05161020051610220516102405161026051610280516102a0516102c0516102e05161030051610320516103405161036051610380516103a0516103c0516103e0516104005161042051610440516104605161048051610bd0610f215f395f61052801525f61050101525f6104da01525f6104b301525f61061301525f6105ec01525f6105c501525f61059e01525f61089a01525f61087901525f61084601525f61082501525f6107f201525f6107d101525f61079901525f61077801525f61074601525f61072501525f61025701525f61023001525f61020901525f6101e201525f6103f601525f6103cf01525f6103a801525f61038101525f61034101525f61031a01525f6102f301525f6102cc01525f6102a501525f61027e01525f8181605201526104480152610bd05ff3fe608060405234801561000f575f5ffd5b5060043610610034575f3560e01c806328a4e1481461003857806361728f391461004d575b5f5ffd5b61004b610046366004610a00565b610086565b005b6100747f000000000000000000000000000000000000000000000000000000000000000081565b60405190815260200160405180910390f35b61018082146100c9576040517f8bffc034000000000000000000000000000000000000000000000000000000008152600481018390526024015b60405180910390fd5b5f5b600381101561014e577f30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f000000182826003811061010757610107610a86565b602002013510610146576040517f98664c37000000000000000000000000000000000000000000000000000000008152600481018290526024016100c0565b6001016100cb565b505f61015e836101008187610ab3565b61016791610ada565b90505f84846101796101006020610b17565b610184928290610ab3565b61018d91610ada565b90508115801561019b575080155b156101d2576040517f09bde33900000000000000000000000000000000000000000000000000000000815260040160405180910390fd5b6101da6109e1565b6101008682377f00000000000000000000000000000000000000000000000000000000000000006101008201527f00000000000000000000000000000000000000000000000000000000000000006101208201527f00000000000000000000000000000000000000000000000000000000000000006101408201527f00000000000000000000000000000000000000000000000000000000000000006101608201527f00000000000000000000000000000000000000000000000000000000000000006101808201527f00000000000000000000000000000000000000000000000000000000000000006101a08201527f00000000000000000000000000000000000000000000000000000000000000006101c08201527f00000000000000000000000000000000000000000000000000000000000000006101e08201527f00000000000000000000000000000000000000000000000000000000000000006102008201527f00000000000000000000000000000000000000000000000000000000000000006102208201526103738686868686610690565b6102608301526102408201527f00000000000000000000000000000000000000000000000000000000000000006102808201527f00000000000000000000000000000000000000000000000000000000000000006102a08201527f00000000000000000000000000000000000000000000000000000000000000006102c08201527f00000000000000000000000000000000000000000000000000000000000000006102e08201526040515f907f30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f000000190610476907f0000000000000000000000000000000000000000000000000000000000000000908a908a908a90602001610b4f565b604051602081830303815290604052805190602001205f1c6104989190610b72565b90506104a58484836108d0565b6103208401526103008301527f00000000000000000000000000000000000000000000000000000000000000006103408301527f00000000000000000000000000000000000000000000000000000000000000006103608301527f00000000000000000000000000000000000000000000000000000000000000006103808301527f00000000000000000000000000000000000000000000000000000000000000006103a083015261059061055e87610140818b610ab3565b61056791610ada565b88886105766101406020610b17565b610581928290610ab3565b61058a91610ada565b836108d0565b6103e08401526103c08301527f00000000000000000000000000000000000000000000000000000000000000006104008301527f00000000000000000000000000000000000000000000000000000000000000006104208301527f00000000000000000000000000000000000000000000000000000000000000006104408301527f00000000000000000000000000000000000000000000000000000000000000006104608301525f602083610480816008620493e0fa835160011416905080610686576040517f09bde33900000000000000000000000000000000000000000000000000000000815260040160405180910390fd5b5050505050505050565b5f80807f30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f000000160026106c66101406101008b8d610ab3565b6040516106d4929190610baa565b602060405180830381855afa1580156106ef573d5f5f3e3d5ffd5b5050506040513d601f19601f820116820180604052508101906107129190610bb9565b61071c9190610b72565b90505f5f61076c7f00000000000000000000000000000000000000000000000000000000000000007f0000000000000000000000000000000000000000000000000000000000000000898961093f565b90925090506107c582827f00000000000000000000000000000000000000000000000000000000000000007f00000000000000000000000000000000000000000000000000000000000000008c5f5b60200201356109b5565b909250905061081982827f00000000000000000000000000000000000000000000000000000000000000007f00000000000000000000000000000000000000000000000000000000000000008c60016107bb565b909250905061086d82827f00000000000000000000000000000000000000000000000000000000000000007f00000000000000000000000000000000000000000000000000000000000000008c60026107bb565b90925090506108bf82827f00000000000000000000000000000000000000000000000000000000000000007f0000000000000000000000000000000000000000000000000000000000000000876109b5565b945094505050509550959350505050565b5f5f5f6040518681528560208201528460408201526040816060836007612710fa915080519350602081015192505080610936576040517f09bde33900000000000000000000000000000000000000000000000000000000815260040160405180910390fd5b50935093915050565b5f5f5f60405187815286602082015285604082015284606082015260408160808360066103e8fa9150805193506020810151925050806109ab576040517f09bde33900000000000000000000000000000000000000000000000000000000815260040160405180910390fd5b5094509492505050565b5f5f6109c28585856108d0565b90955093506109d38787878761093f565b915091509550959350505050565b6040518061048001604052806024906020820280368337509192915050565b5f5f5f60808486031215610a12575f5ffd5b833567ffffffffffffffff811115610a28575f5ffd5b8401601f81018613610a38575f5ffd5b803567ffffffffffffffff811115610a4e575f5ffd5b866020828401011115610a5f575f5ffd5b602082019450809350505084608085011115610a79575f5ffd5b6020840190509250925092565b7f4e487b71000000000000000000000000000000000000000000000000000000005f52603260045260245ffd5b5f5f85851115610ac1575f5ffd5b83861115610acd575f5ffd5b5050820193919092039150565b80356020831015610b11577fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff602084900360031b1b165b92915050565b80820180821115610b11577f4e487b71000000000000000000000000000000000000000000000000000000005f52601160045260245ffd5b848152828460208301375f83820160608460208301376080019695505050505050565b5f82610ba5577f4e487b71000000000000000000000000000000000000000000000000000000005f52601260045260245ffd5b500690565b818382375f9101908152919050565b5f60208284031215610bc9575f5ffd5b50519190505630644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47",
}

// Groth16Verifier is an auto generated Go binding around an Ethereum contract.
type Groth16Verifier struct {
	abi abi.ABI
}

// GetABI returns the ABI associated with this contract binding.
func (c *Groth16Verifier) GetABI() abi.ABI {
	return c.abi
}

// NewGroth16Verifier creates a new instance of Groth16Verifier.
func NewGroth16Verifier() *Groth16Verifier {
	parsed, err := Groth16VerifierMetaData.ParseABI()
	if err != nil {
		panic(errors.New("invalid ABI: " + err.Error()))
	}
	return &Groth16Verifier{abi: *parsed}
}

// Instance creates a wrapper for a deployed contract instance at the given address.
// Use this to create the instance object passed to abigen v2 library functions Call, Transact, etc.
func (c *Groth16Verifier) Instance(backend bind.ContractBackend, addr common.Address) *bind.BoundContract {
	return bind.NewBoundContract(addr, c.abi, backend, backend, backend)
}

// PackConstructor is the Go binding used to pack the parameters required for
// contract deployment.
//
// Solidity: constructor(uint256[] key) returns()
func (groth16Verifier *Groth16Verifier) PackConstructor(key []*big.Int) []byte {
	enc, err := groth16Verifier.abi.Pack("", key)
	if err != nil {
		panic(err)
	}
	return enc
}

// PackKeyHash is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x61728f39.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function keyHash() view returns(bytes32)
func (groth16Verifier *Groth16Verifier) PackKeyHash() []byte {
	enc, err := groth16Verifier.abi.Pack("keyHash")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackKeyHash is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x61728f39.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function keyHash() view returns(bytes32)
func (groth16Verifier *Groth16Verifier) TryPackKeyHash() ([]byte, error) {
	return groth16Verifier.abi.Pack("keyHash")
}

// UnpackKeyHash is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x61728f39.
//
// Solidity: function keyHash() view returns(bytes32)
func (groth16Verifier *Groth16Verifier) UnpackKeyHash(data []byte) ([32]byte, error) {
	out, err := groth16Verifier.abi.Unpack("keyHash", data)
	if err != nil {
		return *new([32]byte), err
	}
	out0 := *abi.ConvertType(out[0], new([32]byte)).(*[32]byte)
	return out0, nil
}

// PackVerify is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x28a4e148.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function verify(bytes proof, uint256[3] inputs) view returns()
func (groth16Verifier *Groth16Verifier) PackVerify(proof []byte, inputs [3]*big.Int) []byte {
	enc, err := groth16Verifier.abi.Pack("verify", proof, inputs)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackVerify is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x28a4e148.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function verify(bytes proof, uint256[3] inputs) view returns()
func (groth16Verifier *Groth16Verifier) TryPackVerify(proof []byte, inputs [3]*big.Int) ([]byte, error) {
	return groth16Verifier.abi.Pack("verify", proof, inputs)
}

// UnpackError attempts to decode the provided error data using user-defined
// error definitions.
func (groth16Verifier *Groth16Verifier) UnpackError(raw []byte) (any, error) {
	if bytes.Equal(raw[:4], groth16Verifier.abi.Errors["CoordinateNotInField"].ID.Bytes()[:4]) {
		return groth16Verifier.UnpackCoordinateNotInFieldError(raw[4:])
	}
	if bytes.Equal(raw[:4], groth16Verifier.abi.Errors["InputNotInField"].ID.Bytes()[:4]) {
		return groth16Verifier.UnpackInputNotInFieldError(raw[4:])
	}
	if bytes.Equal(raw[:4], groth16Verifier.abi.Errors["InvalidProof"].ID.Bytes()[:4]) {
		return groth16Verifier.UnpackInvalidProofError(raw[4:])
	}
	if bytes.Equal(raw[:4], groth16Verifier.abi.Errors["PointAtInfinity"].ID.Bytes()[:4]) {
		return groth16Verifier.UnpackPointAtInfinityError(raw[4:])
	}
	if bytes.Equal(raw[:4], groth16Verifier.abi.Errors["PointNotInSubgroup"].ID.Bytes()[:4]) {
		return groth16Verifier.UnpackPointNotInSubgroupError(raw[4:])
	}
	if bytes.Equal(raw[:4], groth16Verifier.abi.Errors["PointNotOnCurve"].ID.Bytes()[:4]) {
		return groth16Verifier.UnpackPointNotOnCurveError(raw[4:])
	}
	if bytes.Equal(raw[:4], groth16Verifier.abi.Errors["UnsafeKey"].ID.Bytes()[:4]) {
		return groth16Verifier.UnpackUnsafeKeyError(raw[4:])
	}
	if bytes.Equal(raw[:4], groth16Verifier.abi.Errors["WrongKeyLength"].ID.Bytes()[:4]) {
		return groth16Verifier.UnpackWrongKeyLengthError(raw[4:])
	}
	if bytes.Equal(raw[:4], groth16Verifier.abi.Errors["WrongProofLength"].ID.Bytes()[:4]) {
		return groth16Verifier.UnpackWrongProofLengthError(raw[4:])
	}
	return nil, errors.New("Unknown error")
}

// Groth16VerifierCoordinateNotInField represents a CoordinateNotInField error raised by the Groth16Verifier contract.
type Groth16VerifierCoordinateNotInField struct {
	Index *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error CoordinateNotInField(uint256 index)
func Groth16VerifierCoordinateNotInFieldErrorID() common.Hash {
	return common.HexToHash("0x9652df320d5c9890515ac4a5ee0629d8d557237ab7f58397d33a9c412cef5423")
}

// UnpackCoordinateNotInFieldError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error CoordinateNotInField(uint256 index)
func (groth16Verifier *Groth16Verifier) UnpackCoordinateNotInFieldError(raw []byte) (*Groth16VerifierCoordinateNotInField, error) {
	out := new(Groth16VerifierCoordinateNotInField)
	if err := groth16Verifier.abi.UnpackIntoInterface(out, "CoordinateNotInField", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// Groth16VerifierInputNotInField represents a InputNotInField error raised by the Groth16Verifier contract.
type Groth16VerifierInputNotInField struct {
	Index *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error InputNotInField(uint256 index)
func Groth16VerifierInputNotInFieldErrorID() common.Hash {
	return common.HexToHash("0x98664c376c4d9d72d545e92ef1d6e8c04328f83a579babcc5e021c5b5888fa7a")
}

// UnpackInputNotInFieldError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error InputNotInField(uint256 index)
func (groth16Verifier *Groth16Verifier) UnpackInputNotInFieldError(raw []byte) (*Groth16VerifierInputNotInField, error) {
	out := new(Groth16VerifierInputNotInField)
	if err := groth16Verifier.abi.UnpackIntoInterface(out, "InputNotInField", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// Groth16VerifierInvalidProof represents a InvalidProof error raised by the Groth16Verifier contract.
type Groth16VerifierInvalidProof struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error InvalidProof()
func Groth16VerifierInvalidProofErrorID() common.Hash {
	return common.HexToHash("0x09bde339c6b182be216ee7ef8ccff6338c6ef7993445216112ae575c5438fd27")
}

// UnpackInvalidProofError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error InvalidProof()
func (groth16Verifier *Groth16Verifier) UnpackInvalidProofError(raw []byte) (*Groth16VerifierInvalidProof, error) {
	out := new(Groth16VerifierInvalidProof)
	if err := groth16Verifier.abi.UnpackIntoInterface(out, "InvalidProof", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// Groth16VerifierPointAtInfinity represents a PointAtInfinity error raised by the Groth16Verifier contract.
type Groth16VerifierPointAtInfinity struct {
	Index *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error PointAtInfinity(uint256 index)
func Groth16VerifierPointAtInfinityErrorID() common.Hash {
	return common.HexToHash("0x824fa20cb7f273fb244341b3df55c9a1edb23c45eca469f78bc6ba28584b30cd")
}

// UnpackPointAtInfinityError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error PointAtInfinity(uint256 index)
func (groth16Verifier *Groth16Verifier) UnpackPointAtInfinityError(raw []byte) (*Groth16VerifierPointAtInfinity, error) {
	out := new(Groth16VerifierPointAtInfinity)
	if err := groth16Verifier.abi.UnpackIntoInterface(out, "PointAtInfinity", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// Groth16VerifierPointNotInSubgroup represents a PointNotInSubgroup error raised by the Groth16Verifier contract.
type Groth16VerifierPointNotInSubgroup struct {
	Index *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error PointNotInSubgroup(uint256 index)
func Groth16VerifierPointNotInSubgroupErrorID() common.Hash {
	return common.HexToHash("0xb7c5aacb393dd5cb48f7604a00361ad628b342d3103d8e7ff2c7b1bbb9d16b0b")
}

// UnpackPointNotInSubgroupError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error PointNotInSubgroup(uint256 index)
func (groth16Verifier *Groth16Verifier) UnpackPointNotInSubgroupError(raw []byte) (*Groth16VerifierPointNotInSubgroup, error) {
	out := new(Groth16VerifierPointNotInSubgroup)
	if err := groth16Verifier.abi.UnpackIntoInterface(out, "PointNotInSubgroup", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// Groth16VerifierPointNotOnCurve represents a PointNotOnCurve error raised by the Groth16Verifier contract.
type Groth16VerifierPointNotOnCurve struct {
	Index *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error PointNotOnCurve(uint256 index)
func Groth16VerifierPointNotOnCurveErrorID() common.Hash {
	return common.HexToHash("0x8be2934e26140b4561958ba9ab901b48a247b56c15194670f3e4c931336ad06a")
}

// UnpackPointNotOnCurveError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error PointNotOnCurve(uint256 index)
func (groth16Verifier *Groth16Verifier) UnpackPointNotOnCurveError(raw []byte) (*Groth16VerifierPointNotOnCurve, error) {
	out := new(Groth16VerifierPointNotOnCurve)
	if err := groth16Verifier.abi.UnpackIntoInterface(out, "PointNotOnCurve", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// Groth16VerifierUnsafeKey represents a UnsafeKey error raised by the Groth16Verifier contract.
type Groth16VerifierUnsafeKey struct {
	Reason string
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error UnsafeKey(string reason)
func Groth16VerifierUnsafeKeyErrorID() common.Hash {
	return common.HexToHash("0xf96d344e39883feb78142509114ae0bca4442558dceae0c0da7259d259fe1180")
}

// UnpackUnsafeKeyError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error UnsafeKey(string reason)
func (groth16Verifier *Groth16Verifier) UnpackUnsafeKeyError(raw []byte) (*Groth16VerifierUnsafeKey, error) {
	out := new(Groth16VerifierUnsafeKey)
	if err := groth16Verifier.abi.UnpackIntoInterface(out, "UnsafeKey", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// Groth16VerifierWrongKeyLength represents a WrongKeyLength error raised by the Groth16Verifier contract.
type Groth16VerifierWrongKeyLength struct {
	Words *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error WrongKeyLength(uint256 words)
func Groth16VerifierWrongKeyLengthErrorID() common.Hash {
	return common.HexToHash("0x7a8d2ff487684c280af34b96748efe217d1a84eea21be0559564d986a305faa3")
}

// UnpackWrongKeyLengthError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error WrongKeyLength(uint256 words)
func (groth16Verifier *Groth16Verifier) UnpackWrongKeyLengthError(raw []byte) (*Groth16VerifierWrongKeyLength, error) {
	out := new(Groth16VerifierWrongKeyLength)
	if err := groth16Verifier.abi.UnpackIntoInterface(out, "WrongKeyLength", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// Groth16VerifierWrongProofLength represents a WrongProofLength error raised by the Groth16Verifier contract.
type Groth16VerifierWrongProofLength struct {
	Got *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error WrongProofLength(uint256 got)
func Groth16VerifierWrongProofLengthErrorID() common.Hash {
	return common.HexToHash("0x8bffc03416d23012f66b67a5ecf6743779adcbc67327c4a5f4ac75e3a030af31")
}

// UnpackWrongProofLengthError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error WrongProofLength(uint256 got)
func (groth16Verifier *Groth16Verifier) UnpackWrongProofLengthError(raw []byte) (*Groth16VerifierWrongProofLength, error) {
	out := new(Groth16VerifierWrongProofLength)
	if err := groth16Verifier.abi.UnpackIntoInterface(out, "WrongProofLength", raw); err != nil {
		return nil, err
	}
	return out, nil
}
