package scene

import (
	"math"
	"time"

	"lampworks/internal/household/home"
)

// nextSun is the first sunrise or sunset after a moment, so much later, on one of the days of a mask; zero where there is none within
// a year.
func nextSun(after time.Time, rise bool, offset time.Duration, mask int, p home.Place, zone *time.Location) time.Time {
	in := after.In(zone)
	for i := -1; i < 366; i++ {
		date := time.Date(in.Year(), in.Month(), in.Day()+i, 12, 0, 0, 0, time.UTC)
		if mask != 0 && mask&(1<<weekday(date)) == 0 {
			continue
		}
		if at, ok := sun(date, rise, p); ok && at.Add(offset).After(after) {
			return at.Add(offset)
		}
	}
	return time.Time{}
}

// The height of the sun's middle when its upper edge is seen at the horizon, degrees: half its width, and what the air bends.
const horizon = -0.833

// sun is when the sun rises or sets at a place on a date there, to about a minute; not ok where it does neither that day. It goes by
// the mean anomaly, the equation of the centre and the hour angle, as almanacs do.
func sun(date time.Time, rise bool, p home.Place) (time.Time, bool) {
	sin := func(degrees float64) float64 { return math.Sin(degrees * math.Pi / 180) }
	cos := func(degrees float64) float64 { return math.Cos(degrees * math.Pi / 180) }
	north, east := float64(p.Latitude)/1e6, float64(p.Longitude)/1e6
	noon := math.Round(float64(date.Unix())/86400+2440587.5-2451545.0) - east/360 // days since 2000, mean solar noon
	anomaly := math.Mod(357.5291+0.98560028*noon, 360)
	centre := 1.9148*sin(anomaly) + 0.02*sin(2*anomaly) + 0.0003*sin(3*anomaly)
	ecliptic := math.Mod(anomaly+centre+180+102.9372, 360)
	transit := noon + 0.0053*sin(anomaly) - 0.0069*sin(2*ecliptic)
	declination := math.Asin(sin(ecliptic) * sin(23.4397))
	cosHour := (sin(horizon) - sin(north)*math.Sin(declination)) / (cos(north) * math.Cos(declination))
	if cosHour < -1 || cosHour > 1 || math.IsNaN(cosHour) {
		return time.Time{}, false
	}
	hour := math.Acos(cosHour) * 180 / math.Pi / 360
	if rise {
		hour = -hour
	}
	seconds := (transit + hour + 2451545.0 - 2440587.5) * 86400
	return time.Unix(int64(math.Round(seconds)), 0).UTC(), true
}
