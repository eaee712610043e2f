package account

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/argon2"

	"lampworks/internal/infra/fault"
)

// cost is what one evaluation of argon2id takes.
type cost struct {
	memory  uint32 // KiB
	passes  uint32
	threads uint8
}

// today is the cost of new hashes: 19 MiB, two passes, one lane, the first choice of the OWASP password storage sheet.
var today = cost{memory: 19 << 10, passes: 2, threads: 1}

// cheap is the least that argon2id takes.
var cheap = cost{memory: 8, passes: 1, threads: 1}

const (
	saltBytes = 16
	hashBytes = 32

	// waiting bounds the logins that queue for a slot. Beyond it a login is refused at once, with a time to come back.
	waiting = 64
)

// hasher evaluates argon2id, at most one evaluation a processor at a time: with 19 MiB each, memory is bounded too.
type hasher struct {
	cost        cost // of new hashes
	slots       chan struct{}
	queue       chan struct{}
	evaluations atomic.Int64 // for tests: what a login costs must not tell whether a name exists
	nobody      string       // hash that no password has; verified where there is no user
}

func newHasher(c cost) *hasher {
	n := runtime.NumCPU()
	return &hasher{
		cost:   c,
		slots:  make(chan struct{}, n),
		queue:  make(chan struct{}, n+waiting),
		nobody: encode(c, random(saltBytes), random(hashBytes)),
	}
}

// hash returns the encoded hash of p under a new salt.
func (h *hasher) hash(ctx context.Context, p Password) (string, error) {
	salt := random(saltBytes)
	sum, err := h.evaluate(ctx, h.cost, p, salt, hashBytes)
	if err != nil {
		return "", err
	}
	return encode(h.cost, salt, sum), nil
}

// verify reports whether p is the password that encoded was made from. It costs one evaluation, whatever the answer.
func (h *hasher) verify(ctx context.Context, encoded string, p Password) (bool, error) {
	c, salt, want, err := decode(encoded)
	if err != nil {
		return false, err
	}
	got, err := h.evaluate(ctx, c, p, salt, uint32(len(want)))
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(got, want) == 1, nil
}

func (h *hasher) evaluate(ctx context.Context, c cost, p Password, salt []byte, size uint32) ([]byte, error) {
	select {
	case h.queue <- struct{}{}:
		defer func() { <-h.queue }()
	default:
		busy := fault.Unavailable("too many passwords are being checked at this moment", nil)
		busy.RetryAfter = time.Second
		return nil, busy
	}
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting to check a password: %w", ctx.Err())
	}
	h.evaluations.Add(1)
	sum := argon2.IDKey(p.normal(), salt, c.passes, c.memory, c.threads, size)
	if c.memory >= today.memory {
		giveBack()
	}
	return sum, nil
}

// smallHeap is the size in bytes up to which a heap is collected at once after an evaluation.
const smallHeap = 48 << 20

// giveBack returns what an evaluation took. On a quiet server that is as much as all the rest, and the collector would let
// the garbage of two or three evaluations stand; in a large heap it does not matter, and collecting that would cost more.
func giveBack() {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	if metrics.Read(live); live[0].Value.Kind() == metrics.KindUint64 && live[0].Value.Uint64() <= smallHeap {
		debug.FreeOSMemory()
	}
}

// encode writes the PHC string form, which carries its own cost: "$argon2id$v=19$m=19456,t=2,p=1$salt$hash".
func encode(c cost, salt, sum []byte) string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, c.memory, c.passes, c.threads, b64.EncodeToString(salt), b64.EncodeToString(sum))
}

// decode reads what encode wrote. Its errors do not quote the hash.
func decode(encoded string) (c cost, salt, sum []byte, err error) {
	parts := strings.Split(encoded, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return c, nil, nil, fmt.Errorf("reading a password hash: it is not argon2id version %d in PHC form", argon2.Version)
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &c.memory, &c.passes, &c.threads); err != nil {
		return c, nil, nil, fmt.Errorf("reading the cost of a password hash: %w", err)
	}
	if c.memory == 0 || c.memory > 1<<20 || c.passes == 0 || c.passes > 16 || c.threads == 0 {
		return c, nil, nil, fmt.Errorf("reading the cost of a password hash: m=%d,t=%d,p=%d is out of bounds", c.memory, c.passes, c.threads)
	}
	b64 := base64.RawStdEncoding
	salt, errSalt := b64.DecodeString(parts[4])
	sum, errSum := b64.DecodeString(parts[5])
	if errSalt != nil || errSum != nil || len(salt) < 8 || len(sum) < 16 {
		return c, nil, nil, fmt.Errorf("reading a password hash: salt or hash is damaged")
	}
	return c, salt, sum, nil
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails: the program ends first
	return b
}
