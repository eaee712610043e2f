package mqtt

// AppendPacket appends p as version v has it. It trusts p to be valid; a packet that cannot be written at all (a
// string over 65,535 bytes, a packet over 268,435,455) appends nothing.
func AppendPacket(dst []byte, p *Packet, v Version) []byte { return dst }

// AppendPublish appends a PUBLISH without properties. id is written for qos 1 and 2 only.
func AppendPublish(dst []byte, v Version, topic string, payload []byte, qos uint8, id uint16, dup, retain bool) []byte {
	return dst
}

// AppendPuback appends a PUBACK of success, which is the same in both versions.
func AppendPuback(dst []byte, id uint16) []byte { return dst }
