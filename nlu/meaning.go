package nlu

// Meaning is what a property is about, whatever the maker's model calls it.
type Meaning string

// The meanings that the vocabulary knows. Its files map identifiers, words and values to them.
const (
	Power             Meaning = "power"
	Brightness        Meaning = "brightness"
	Colour            Meaning = "colour"
	ColourTemperature Meaning = "colour_temperature"
	Position          Meaning = "position" // 0 closed .. 100 open
	Temperature       Meaning = "temperature"
	TargetTemperature Meaning = "target_temperature"
	Humidity          Meaning = "humidity"
	TargetHumidity    Meaning = "target_humidity"
	Mode              Meaning = "mode"
	FanSpeed          Meaning = "fan_speed"
	Level             Meaning = "level" // a gear of a fan, hood, humidifier, blanket
	Swing             Meaning = "swing"
	Volume            Meaning = "volume"
	Mute              Meaning = "mute"
	Channel           Meaning = "channel"
	Playback          Meaning = "playback"
	Work              Meaning = "work" // start, pause, dock … of a machine
	Locked            Meaning = "locked"
	Battery           Meaning = "battery"
	PM25              Meaning = "pm25"
	Remaining         Meaning = "remaining"
	ChildLock         Meaning = "child_lock"
	Presence          Meaning = "presence"
	Contact           Meaning = "contact"
	Illuminance       Meaning = "illuminance"
	Energy            Meaning = "energy"
)
