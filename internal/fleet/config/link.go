package config

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"time"

	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/keyring"
	"lampworks/internal/infra/store"
)

// LinkTime is how long a link to a file opens it.
const LinkTime = 30 * time.Minute

// A link is the base64url of configId (16), the second it ends (8) and an HMAC of both by a key of the organisation (16).
const (
	idSize   = 16
	body     = idSize + 8
	linkSize = body + 16
)

// Link gives what opens the file of a version for [LinkTime], to whoever has it.
func (s *Service) Link(ctx context.Context, v *Version) (string, error) {
	id, err := hex.DecodeString(v.ID)
	if err != nil {
		return "", err
	}
	key, err := s.linkKey(ctx, v.Organisation)
	if err != nil {
		return "", err
	}
	b := binary.BigEndian.AppendUint64(append(make([]byte, 0, linkSize), id...), uint64(s.now().Add(LinkTime).Unix()))
	return base64.RawURLEncoding.EncodeToString(append(b, seal(key, b)...)), nil
}

// Open gives the document that a link opens. A link that never was is not found; one that has ended is expired.
func (s *Service) Open(ctx context.Context, link string) ([]byte, error) {
	none := fault.NotFound("file", "")
	b, err := base64.RawURLEncoding.DecodeString(link)
	if err != nil || len(b) != linkSize {
		return nil, none
	}
	var v Version
	err = s.store.Read(ctx, func(view *store.View) error {
		v, err = load(ctx, view, "file", "", "id = ?", hex.EncodeToString(b[:idSize]))
		return err
	})
	if err != nil {
		return nil, err
	}
	key, err := s.linkKey(ctx, v.Organisation)
	if err != nil {
		return nil, err
	}
	if !hmac.Equal(seal(key, b[:body]), b[body:]) {
		return nil, none
	}
	if ends := int64(binary.BigEndian.Uint64(b[idSize:])); s.now().Unix() > ends {
		return nil, fault.Expired("link to a file", "")
	}
	return v.Document, nil
}

func (s *Service) linkKey(ctx context.Context, organisation string) (keyring.Key32, error) {
	return s.keys.DataKey(ctx, s.store, organisation, "configuration link", "")
}

func seal(key keyring.Key32, b []byte) []byte {
	k := key.Reveal()
	m := hmac.New(sha256.New, k[:])
	m.Write(b)
	return m.Sum(nil)[:linkSize-body]
}
