// Package alink speaks Alink JSON, the language of Wi-Fi devices: which topics there are, what an envelope holds,
// which codes answer it, and how a device proves who it is when it connects.
//
// It owns the one table of topic templates and the formats of envelope, client id, user name and signature. It promises:
//   - a topic or a filter is matched only inside the branch of the device that is asked about: what belongs to somebody else is never ok;
//   - [Match], [ParseRequest], [ParseReply] and the Append functions allocate nothing when the input is good;
//   - no input makes it panic, recurse deeper than [MaxDepth] or keep more than it was given;
//   - a wrong password is told from a right one in the same time.
//
// It does no I/O, knows no thing model and stores nothing. What it returns as []byte aliases the input.
package alink

// Codes of a reply. Sources: Alibaba's Link Kit (iotkit-embedded v3.2.0) and its help page "Error codes for devices" (120329).
const (
	CodeOK              = 200    // done, and stored where the platform promises it
	CodeBadRequest      = 400    // the envelope or the request is not understood
	CodeTooMany         = 429    // over a rate limit; ask again later
	CodeParam           = 460    // params is not what the thing model allows; the message says what, where and which rule
	CodeServer          = 500    // the platform could not do it; the same request may be sent again
	CodeNoSession       = 520    // the sub-device is not logged in through this gateway
	CodeFull            = 428    // the gateway has as many sub-devices as it may
	CodeShut            = 522    // the sub-device is disabled, or a measure refuses it
	CodeUnknown         = 6100   // there is no such device
	CodeRegistrationOff = 6288   // its product, or its maker at this time, lets no device register
	CodeRegistered      = 6289   // it has registered, or logged in, before
	CodeSign            = 6287   // the signature of the sub-device is wrong
	CodeNoTopology      = 6401   // the gateway does not carry the sub-device
	CodeItself          = 6402   // a gateway does not carry itself, or another gateway
	CodeElsewhere       = 6619   // another gateway carries the sub-device
	CodeBadTopic        = 6203   // the topic is not one of the table
	CodeDisabled        = 6204   // the device is disabled
	CodeTimeout         = 100000 // no answer in time; made locally by the side that waited
)

// Limits of what is accepted.
const (
	MaxTopic    = 256 // bytes of a topic or filter; Alibaba's own limit is 128
	MaxArgument = 128 // bytes of the {id} level of a topic
	MaxID       = 256 // bytes of a message id; the official JavaScript SDK appends the whole reply topic to its counter
	MaxDepth    = 32  // nesting of a message, the envelope's own braces included
	MaxClientID = 512 // bytes of an MQTT client id, fields included
	MaxName     = 64  // bytes of a ProductKey (产品标识) or DeviceName (设备名称)
)

// envelopeVersion stands in every envelope this package writes.
const envelopeVersion = "1.0"
