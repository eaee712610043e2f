package test

import (
	"fmt"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// settles signs somebody up at the consumer side, with the code that came to their address.
func (s *server) settles(t *testing.T, name string) *person {
	t.Helper()
	p := &person{s: s, lang: "zh-CN", login: name}
	contact := name + "@home.example"
	p.does(t, "POST", "/resident/codes", map[string]any{"contact": contact})
	p.takeSession(t, p.does(t, "POST", "/resident/session", map[string]any{"contact": contact, "code": s.mailed(t, contact), "name": name}))
	return p
}

// shown is the text of the code that a device shows.
func (p *player) shown(t *testing.T) string {
	t.Helper()
	p.says.line(t, "bind token")
	line := p.says.line(t, "https://home.example/bind#")
	return strings.TrimSpace(line[strings.Index(line, "https://"):])
}

// TestPeopleOfAHome is the consumer's way, by the program alone: makers make a lamp and a lock, two people sign up, bind them by the
// codes that they show (the lock with its button), speak to them, and part from them.
func TestPeopleOfAHome(t *testing.T) {
	w := newWorkshop(t, 1, 0)
	lock := w.makes(t, "door_lock", 1, false)
	image := filepath.Join(t.TempDir(), "bind.png")
	lamp := play(t, w.light.triples[0], "--server", w.mqtt, "--bind", "https://home.example", "--bind-image", image)
	door := play(t, lock.triples[0], "--server", w.mqtt, "--mqtt", "5", "--bind", "https://home.example", "--category", "door_lock")

	mei, bo := w.settles(t, "mei"), w.settles(t, "bo")
	nest := "/homes/" + mei.does(t, "POST", "/resident/homes", map[string]any{"names": names("家", "Nest")}).id(t)
	room := mei.does(t, "POST", nest+"/rooms", map[string]any{"names": names("客厅", "living room")}).id(t)
	hall := mei.does(t, "POST", nest+"/rooms", map[string]any{"names": names("玄关", "hall")}).id(t)
	code := mei.does(t, "POST", nest+"/invitations", map[string]any{"role": "child"}).text(t, "code")
	bo.refused(t, 404, "not_found", "GET", nest, nil)
	bo.does(t, "POST", "/resident/memberships", map[string]any{"code": code})

	shown := lamp.shown(t)
	coded(t, image)
	claim := func(qr, room, zh string) reply {
		return mei.does(t, "POST", nest+"/devices/claim", map[string]any{"qr": qr, "room": room, "names": map[string]string{"zh-CN": zh}})
	}
	bo.refused(t, 403, "forbidden", "POST", nest+"/devices/claim", map[string]any{"qr": shown, "names": names("灯", "lamp")})
	mei.refused(t, 404, "not_found", "POST", nest+"/devices/claim", map[string]any{"qr": shown[:len(shown)-4] + "0000", "names": names("灯", "lamp")})
	if r := claim(shown, room, "吊灯"); r.text(t, "state") != "bound" {
		t.Fatalf("claiming the lamp: %s", r.body)
	}
	lamp.says.line(t, "placed in a home")

	r := claim(door.shown(t), hall, "大门")
	if r.text(t, "state") != "waiting_for_button" {
		t.Fatalf("claiming the lock: %s", r.body)
	}
	fmt.Fprintln(door.in, "buton")
	door.says.line(t, `"buton" is no input`)
	fmt.Fprintln(door.in, "button")
	door.says.line(t, "placed in a home")
	mei.has(t, nest+"/claims/"+r.id(t), "state", "bound")

	mei.says(t, nest, "打开客厅的吊灯", "act")
	lamp.says.line(t, `property.set {"powerstate":1}`)
	bo.says(t, nest, "关掉吊灯", "act")
	lamp.says.line(t, `property.set {"powerstate":0}`)
	mei.says(t, nest, "打开大门", "clarify") // it is dangerous, and asked back
	mei.says(t, nest, "是的", "act")
	door.says.line(t, "command ")
	if r := bo.says(t, nest, "打开大门", ""); r.text(t, "outcome") == "act" || r.text(t, "outcome") == "clarify" {
		t.Errorf("to a child: %s", r.body)
	}
	w.maker.refused(t, 404, "not_found", "GET", nest, nil)

	lampID := mei.does(t, "GET", nest, nil).text(t, "devices/0/id")
	mei.does(t, "DELETE", nest+"/devices/"+lampID, nil)
	lamp.says.line(t, "taken from its home")
	if r := mei.says(t, nest, "打开客厅的吊灯", ""); r.text(t, "outcome") == "act" {
		t.Errorf("said to a lamp that was unbound: %s", r.body)
	}
	eventually(t, "a lamp that was unbound shows another code", func() (bool, any) {
		said := lamp.says.String()
		return strings.Count(said, "bind token") > 1, said
	})
}

// says speaks to a home, and wants an outcome, if one is named.
func (p *person) says(t *testing.T, home, text, outcome string) reply {
	t.Helper()
	r := p.does(t, "POST", home+"/sentences", map[string]any{"text": text})
	if outcome != "" && r.text(t, "outcome") != outcome {
		t.Fatalf("%s says %s: %s", p.login, text, r.body)
	}
	return r
}

// has waits until a field has a value.
func (p *person) has(t *testing.T, path, field, want string) {
	t.Helper()
	eventually(t, field+" of "+path, func() (bool, any) {
		r := p.does(t, "GET", path, nil)
		return r.text(t, field) == want, string(r.body)
	})
}

// coded holds an image to what a QR code has: square, framed in white, and nobody else's to read.
func coded(t *testing.T, name string) {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	m, err := png.Decode(io.LimitReader(f, 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	const margin = 4 * 8
	light := func(x, y int) bool {
		r, _, _, _ := m.At(m.Bounds().Min.X+x, m.Bounds().Min.Y+y).RGBA()
		return r > 0x8000
	}
	size := m.Bounds().Dx()
	if size != m.Bounds().Dy() || size < 2*margin+21*8 || info.Mode().Perm() != 0o600 || !light(margin-1, margin-1) || light(margin, margin) {
		t.Errorf("the image of a code is %v, %v, white in the margin %v, dark in the corner %v", m.Bounds(), info.Mode(), light(margin-1, margin-1), !light(margin, margin))
	}
}
