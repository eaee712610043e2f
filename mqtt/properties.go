package mqtt

// Properties is the property list of an MQTT 5 packet as it stands on the wire, without its length. A Decoder has
// checked it: known, allowed in its packet, none twice that may not be, values in range.
type Properties []byte
