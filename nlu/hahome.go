package nlu

import (
	"encoding/json"
	"fmt"
	"strings"
)

// haContext is a home as the ha-* sets describe it: areas, floors and entities by their names.
type haContext struct {
	Areas []struct {
		Name  haName `json:"name"`
		Floor haName `json:"floor"`
	} `json:"areas"`
	Floors []struct {
		Name haName `json:"name"`
	} `json:"floors"`
	Entities []struct {
		Name       haName         `json:"name"`
		Domain     string         `json:"domain"`
		Area       haName         `json:"area"`
		Attributes map[string]any `json:"attributes"`
	} `json:"entities"`
}

// haName is a text, or a list whose first is the name.
type haName string

func (n *haName) UnmarshalJSON(b []byte) error {
	list, err := textOrList(b)
	if err != nil {
		return err
	}
	if len(list) > 0 {
		*n = haName(list[0])
	}
	return nil
}

func (n haName) names() map[string][]string {
	return map[string][]string{language(fold(string(n))): {string(n)}}
}

// haCategories are the categories of entity domains; a device class of a cover comes before.
var haCategories = map[string]string{
	"light": "light", "fan": "fan", "cover": "curtain", "switch": "switch", "climate": "thermostat", "lock": "lock", "media_player": "speaker",
	"vacuum": "vacuum", "lawn_mower": "mower", "valve": "valve", "person": "person", "weather": "weather", "todo": "todo", "sensor": "sensor",
	"binary_sensor": "sensor", "humidifier": "humidifier", "water_heater": "water_heater",
}

// home turns the context into a home. Its devices have no models: only words are read against it.
func (c *haContext) home() *Home {
	h := &Home{}
	rooms := map[haName]bool{}
	addRoom := func(name, floor haName) {
		if name != "" && !rooms[name] {
			rooms[name] = true
			h.Rooms = append(h.Rooms, Room{ID: string(name), Names: name.names(), Floor: string(floor)})
		}
	}
	for _, a := range c.Areas {
		addRoom(a.Name, a.Floor)
	}
	for _, f := range c.Floors {
		h.floors = append(h.floors, string(f.Name))
	}
	seen := map[string]int{}
	for _, e := range c.Entities {
		addRoom(e.Area, "")
		if e.Domain == "scene" || e.Domain == "script" {
			h.Scenes = append(h.Scenes, Scene{ID: string(e.Name), Names: e.Name.names()})
			continue
		}
		id := string(e.Name)
		if seen[id]++; seen[id] > 1 {
			id = fmt.Sprintf("%s#%d", id, seen[id])
		}
		if e.Domain == "weather" && (e.Name == "家" || strings.EqualFold(string(e.Name), "home")) {
			continue // the weather here is asked for without its name
		}
		category := haCategories[e.Domain]
		if class, ok := e.Attributes["device_class"].(string); ok && e.Domain == "cover" {
			category = class
		}
		h.Devices = append(h.Devices, Device{ID: id, Room: string(e.Area), Category: category, Names: e.Name.names()})
	}
	return h
}

// readHA reads a file of areas, floors and entities; ok is false for other files.
func readHA(b []byte) (h *Home, ok bool) {
	var c haContext
	if json.Unmarshal(b, &c) != nil || len(c.Areas)+len(c.Entities) == 0 {
		return nil, false
	}
	return c.home(), true
}
