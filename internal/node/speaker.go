package node

import (
	"cmp"

	"lampworks/internal/edge/speaker"
)

// openSpeaker builds the listener for those who have sentences understood, if there is to be one.
func (n *Node) openSpeaker() {
	if n.c.Wyoming == "" {
		return
	}
	n.Speaker = speaker.New(speaker.Config{
		Home: n.c.WyomingHome, Token: func() (string, error) { return readSecret(n.c.WyomingToken) }, URL: cmp.Or(n.c.PublicURL, "http://"+n.c.HTTP),
		Authenticate: n.Accounts.Authenticate, Gates: []speaker.Gate{n.Enforce.Gate, n.Agreements.Gate, n.Entitlements.Gate}, Quota: n.Quota,
		Homes: n.Homes, Voice: n.Voice, Logger: n.log,
	})
}
