package voice

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"

	"lampworks/internal/household/home"
	"lampworks/internal/household/scene"
	"lampworks/nlu"
)

// This file writes down among which names a sentence was said, so that it can be read again without the home.

// maxVocabulary is how many devices a home may have whose sentences come into the inbox.
const maxVocabulary = 300

// vocabulary is a home as nlu reads it, under ids of its own: d1, r1, s1. Of a device it names the product, whose model in force
// is put in when it is read again.
type vocabulary struct {
	Rooms   []vocabularyRoom   `json:"rooms"`
	Devices []vocabularyDevice `json:"devices"`
	Scenes  []vocabularyScene  `json:"scenes,omitempty"`
}

type vocabularyRoom struct {
	ID    string              `json:"id"`
	Names map[string][]string `json:"name"`
	Floor string              `json:"floor,omitempty"`
}

type vocabularyDevice struct {
	ID       string              `json:"id"`
	Room     string              `json:"room,omitempty"`
	Names    map[string][]string `json:"name"`
	Category string              `json:"category"`
	Product  string              `json:"product"`
	Model    any                 `json:"model,omitempty"`
}

type vocabularyScene struct {
	ID      string              `json:"id"`
	Names   map[string][]string `json:"name"`
	Phrases map[string][]string `json:"phrases,omitempty"`
}

// vocabulary is the home without what says whose it is, and the id in it of a room; ok is false of a home that is too large.
func (h *spoken) vocabulary(roomID string) (text []byte, id, room string, ok bool) {
	if len(h.home.Devices) > maxVocabulary {
		return nil, "", "", false
	}
	rooms := make(map[string]string, len(h.home.Rooms))
	v := vocabulary{Rooms: []vocabularyRoom{}, Devices: []vocabularyDevice{}}
	for i := range h.home.Rooms {
		r := &h.home.Rooms[i]
		rooms[r.ID] = "r" + strconv.Itoa(i+1)
		v.Rooms = append(v.Rooms, vocabularyRoom{rooms[r.ID], r.All(), cmp.Or(r.Floor[home.Chinese], r.Floor[home.English])})
	}
	for i := range h.home.Devices {
		d := &h.home.Devices[i]
		if category, can := h.categories[d.ID]; can {
			v.Devices = append(v.Devices, vocabularyDevice{ID: "d" + strconv.Itoa(i+1), Room: rooms[d.Room], Names: d.All(), Category: category, Product: d.Product})
		}
	}
	for i, sc := range h.inOrder {
		v.Scenes = append(v.Scenes, vocabularyScene{"s" + strconv.Itoa(i+1), sc.All(), sc.Phrases})
	}
	text, err := json.Marshal(&v)
	if err != nil {
		return nil, "", "", false
	}
	sum := sha256.Sum256(text)
	return text, hex.EncodeToString(sum[:16]), rooms[roomID], true
}

// withModels is a vocabulary with the models in force now, as `lampworks nlu --home` reads it, and what the makers of its devices
// say beside those. A device whose product has no model is left out.
func (s *Service) withModels(ctx context.Context, text string) (file []byte, said []*nlu.Voice, err error) {
	var v vocabulary
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		return nil, nil, fmt.Errorf("reading a vocabulary: %w", err)
	}
	devices := v.Devices[:0]
	for _, d := range v.Devices {
		of, err := scene.SpokenOf(ctx, s.c.Products, d.Product)
		if err != nil {
			return nil, nil, err
		}
		if of.Model != nil {
			d.Model = of.Model.Document()
			devices, said = append(devices, d), append(said, of.Voice())
		}
	}
	v.Devices = devices
	file, err = json.Marshal(&v)
	return file, said, err
}

// compiled is a vocabulary made ready to be spoken to.
func (s *Service) compiled(ctx context.Context, text string) (*nlu.Index, error) {
	file, said, err := s.withModels(ctx, text)
	if err != nil {
		return nil, err
	}
	h, err := nlu.ReadHome(bytes.NewReader(file))
	if err != nil {
		return nil, fmt.Errorf("reading a vocabulary: %w", err)
	}
	for i := range h.Devices { // in the order of the file
		h.Devices[i].Voice = said[i]
	}
	return nlu.Compile(*h)
}
