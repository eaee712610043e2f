package mqtt

import (
	"bytes"
	"slices"
)

// five is what a session of MQTT 5 keeps beyond one of 3.1.1.
type five struct {
	receiveMax uint16   // messages of ours that the client takes at once; 0: 65,535
	maxPacket  int      // largest packet the client takes, bytes; 0: any
	mute       bool     // the client does not want to hear why (request problem information is 0)
	stays      bool     // the session outlives the connection (session expiry is not 0)
	in         [][]byte // topics by the alias that the client gave them, less 1
	out        []string // topics by the alias that we gave them, less 1
	aliases    uint16   // how many we may give
	notes      map[uint16]string
}

// maxAliased is the longest topic that a client may give an alias to, bytes: a session keeps it.
const maxAliased = 1024

// maxOutAliases bounds the topics that a session remembers for a client that takes aliases.
const maxOutAliases = 16

// greeted reads what a CONNECT of MQTT 5 asks for.
func greeted(list Properties) *five {
	f := new(five)
	for q := range list.All() {
		switch q.ID {
		case ReceiveMaximum:
			f.receiveMax = uint16(q.Int)
		case MaximumPacketSize:
			f.maxPacket = int(q.Int)
		case RequestProblemInfo:
			f.mute = q.Int == 0
		case TopicAliasMaximum:
			f.aliases = uint16(min(q.Int, maxOutAliases))
		case SessionExpiry:
			f.stays = q.Int > 0
		}
	}
	return f
}

// connack is the answer to a CONNECT of MQTT 5: what holds here, then what the handler says.
func (s *Session) connack(w *Welcome) []byte {
	p := Packet{Type: CONNACK, Code: w.Code.in(CONNACK), SessionPresent: w.SessionPresent && w.Code == Success}
	list := make(Properties, 0, 64)
	if w.Code == Success {
		list = list.Append(Property{ID: ReceiveMaximum, Int: uint32(s.receiveMax())}).
			Append(Property{ID: MaximumPacketSize, Int: uint32(s.in.limit(PUBLISH))}).
			Append(Property{ID: SharedAvailable})
		if s.c.Aliases > 0 {
			list = list.Append(Property{ID: TopicAliasMaximum, Int: uint32(s.c.Aliases)})
		}
		if !s.c.Retain {
			list = list.Append(Property{ID: RetainAvailable})
		}
		if w.KeepAlive > 0 {
			list = list.Append(Property{ID: ServerKeepAlive, Int: uint32(w.KeepAlive)})
		}
	}
	p.Properties = append(list, w.Properties...)
	return s.five.explained(p, w.Text)
}

// explained encodes p with the text as its reason string, unless the client does not want it or it would be too large
// for it (MQTT-3.2.2-19 and its like).
func (f *five) explained(p Packet, text string) []byte {
	speaks := p.Type == CONNACK || p.Type == DISCONNECT || !f.mute
	if text == "" || !speaks {
		return AppendPacket(nil, &p, V5)
	}
	bare := p.Properties
	p.Properties = slices.Clip(bare).Append(Property{ID: ReasonString, Value: []byte(text[:min(len(text), maxReason)])})
	b := AppendPacket(nil, &p, V5)
	if f.maxPacket > 0 && len(b) > f.maxPacket {
		p.Properties = bare
		b = AppendPacket(nil, &p, V5)
	}
	return b
}

// maxReason is the longest reason string that is sent, bytes.
const maxReason = 1024

// note keeps what is to be said with an acknowledgement that is held back.
func (f *five) note(id uint16, text string) {
	if f.notes == nil {
		f.notes = make(map[uint16]string)
	}
	f.notes[id] = text
}

func (f *five) noted(id uint16) string {
	text := f.notes[id]
	delete(f.notes, id)
	return text
}

// resolve puts the topic of an alias into a PUBLISH of the client, or remembers the one it names (MQTT 5 §3.3.2.3.4).
func (f *five) resolve(p *Packet, most uint16) error {
	q, ok := p.Properties.Find(TopicAlias)
	if !ok {
		return nil
	}
	alias := int(q.Int)
	switch {
	case alias > int(most):
		return breach(V5, BadTopicAlias, "", "MQTT-3.3.2-9", "PUBLISH: topic alias is %d, the maximum is %d", alias, most)
	case len(p.Topic) > maxAliased:
		return breach(V5, BadTopicName, "", "§3.3.2.3.4", "PUBLISH: a topic of %d bytes is given an alias, at most %d are kept", len(p.Topic), maxAliased)
	case len(p.Topic) > 0:
		for len(f.in) < alias {
			f.in = append(f.in, nil)
		}
		if !bytes.Equal(f.in[alias-1], p.Topic) {
			f.in[alias-1] = bytes.Clone(p.Topic)
		}
	case alias > len(f.in) || f.in[alias-1] == nil:
		return breach(V5, ProtocolBroken, "", "§3.3.4", "PUBLISH: topic alias %d stands for no topic yet", alias)
	default:
		p.Topic = f.in[alias-1]
	}
	return nil
}

// alias leaves out the topic of a message of ours that has an alias, or names the one that it would get, if any are left;
// fresh says that.
func (f *five) alias(p *Packet) (fresh bool) {
	if f.aliases == 0 {
		return false
	}
	i := slices.Index(f.out, string(p.Topic))
	switch {
	case i >= 0:
		p.Topic = nil
	case len(f.out) < int(f.aliases):
		i, fresh = len(f.out), true
	default:
		return false
	}
	p.Properties = slices.Clip(p.Properties).Append(Property{ID: TopicAlias, Int: uint32(i + 1)})
	return fresh
}

// disconnect queues a DISCONNECT for a client of MQTT 5 that is connected. The caller holds mu.
func (s *Session) disconnect(r Reason, text string) {
	if s.phase != connected || s.five == nil {
		return
	}
	b := s.five.explained(Packet{Type: DISCONNECT, Code: r.in(DISCONNECT)}, text)
	if s.fits(len(b)) {
		s.out = s.out.appended(b)
	}
}

// goodbye checks a DISCONNECT of the client: a session that was to end with its connection cannot be made to stay.
func (s *Session) goodbye(p *Packet) error {
	if s.five == nil || s.five.stays {
		return nil
	}
	if q, ok := p.Properties.Find(SessionExpiry); ok && q.Int != 0 {
		return breach(V5, ProtocolBroken, "", "MQTT-3.14.2-2", "DISCONNECT: session expiry is %d after 0 in CONNECT", q.Int)
	}
	return nil
}
