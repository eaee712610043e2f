package audit

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/store"
)

// References begin so; what stood in entries before there were references was given one that proves nothing.
const (
	personMark  = "person:"
	addressMark = "address:"
	beforeMark  = "before:"
)

// Person gives the reference by which a person stands in the entries of an organisation. An act upon a person names it as
// its object.
func Person(ctx context.Context, tx *store.Tx, organisation, user string) (string, error) {
	return person(ctx, tx, organisation, user, "")
}

func person(ctx context.Context, tx *store.Tx, organisation, user, login string) (string, error) {
	var reference, known string
	err := tx.QueryRow(ctx, selectPerson, user, organisation).Scan(&reference, &known)
	switch {
	case err == nil && (known == login || login == ""):
		return reference, nil
	case err == nil:
		_, err = tx.Exec(ctx, updateLogin, login, reference)
		return reference, err
	case !errors.Is(err, sql.ErrNoRows):
		return "", err
	}
	salt := newSalt()
	reference = refer(personMark, salt, organisation, user)
	_, err = tx.Exec(ctx, insertPerson, reference, user, organisation, login, salt, time.Now().UnixMilli())
	return reference, err
}

// RecordPerson records an act upon a person, who stands in the entry by reference, as whoever acts does.
func RecordPerson[A ~string](ctx context.Context, tx *store.Tx, who access.Actor, act A, user, note string) error {
	reference, err := Person(ctx, tx, who.Organisation, user)
	if err != nil {
		return fmt.Errorf("referring to user %s: %w", user, err)
	}
	return Record(ctx, tx, who, act, reference, note)
}

// address gives the reference of a remote address from which a person of an organisation came.
func address(ctx context.Context, tx *store.Tx, organisation, user, from string) (string, error) {
	var reference string
	err := tx.QueryRow(ctx, selectAddress, user, organisation, from).Scan(&reference)
	if err == nil || !errors.Is(err, sql.ErrNoRows) {
		return reference, err
	}
	salt := newSalt()
	reference = refer(addressMark, salt, organisation, user, from)
	_, err = tx.Exec(ctx, insertAddress, reference, from, user, organisation, salt, time.Now().UnixMilli())
	return reference, err
}

// Forget removes what the references to a person stand for, in every organisation. The entries stay, and so does their
// chain: lists show them as those of a deleted person.
func Forget(ctx context.Context, tx *store.Tx, user string) error {
	if user == "" {
		return nil
	}
	for _, statement := range []string{deletePerson, deleteAddresses} {
		if _, err := tx.Exec(ctx, statement, user); err != nil {
			return fmt.Errorf("forgetting a person in the audit: %w", err)
		}
	}
	return nil
}

// stands is how an actor stands in an entry: without a name.
func stands(ctx context.Context, tx *store.Tx, who access.Actor) (actor, user, from string, err error) {
	actor = who.ID
	if who.User != "" {
		if user, err = person(ctx, tx, who.Organisation, who.User, cut(who.Login, maxField)); err != nil {
			return "", "", "", err
		}
		if actor == who.User {
			actor = user
		}
	}
	if who.From != "" {
		from, err = address(ctx, tx, who.Organisation, who.User, cut(who.From, maxField))
	}
	return actor, user, from, err
}

func newSalt() []byte {
	salt := make([]byte, 32)
	_, _ = rand.Read(salt) // never fails: crypto/rand
	return salt
}

// refer makes a reference. It holds to what it stands for: who changes the row of a person is found.
func refer(mark string, salt []byte, parts ...string) string {
	h := sha256.New()
	h.Write([]byte("lampworks audit reference 1\n"))
	h.Write(field(nil, salt))
	for _, p := range parts {
		h.Write(field(nil, []byte(p)))
	}
	return mark + hex.EncodeToString(h.Sum(nil)[:16])
}

// A known is what a reference stands for, as a row of the tables or a line of an export says it.
type known struct {
	User         string `json:"user,omitempty"`
	Organisation string `json:"-"`
	Login        string `json:"login,omitempty"`
	Address      string `json:"address,omitempty"`
	Salt         []byte `json:"salt,omitempty"`
}

// holds says whether reference stands for k. What was there before there were references proves nothing.
func (k *known) holds(reference string) bool {
	mark, parts := personMark, []string{k.Organisation, k.User}
	if strings.HasPrefix(reference, addressMark) {
		mark, parts = addressMark, append(parts, k.Address)
	}
	if strings.HasPrefix(reference, mark+beforeMark) {
		return k.Salt == nil
	}
	return bytes.Equal([]byte(reference), []byte(refer(mark, k.Salt, parts...)))
}
