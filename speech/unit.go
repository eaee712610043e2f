package speech

import (
	"strings"
	"unicode/utf8"
)

// A unit as it is written after a number, and as it is said.
type unit struct{ sign, zh, en string }

// units are tried in this order: longer signs first.
var units = []unit{
	{"μg/m3", "微克每立方米", "micrograms per cubic metre"},
	{"mg/m3", "毫克每立方米", "milligrams per cubic metre"},
	{"m3/h", "立方米每小时", "cubic metres an hour"},
	{"kW·h", "千瓦时", "kilowatt hours"},
	{"kW⋅h", "千瓦时", "kilowatt hours"},
	{"kWh", "千瓦时", "kilowatt hours"},
	{"W·h", "瓦时", "watt hours"},
	{"km/h", "公里每小时", "kilometres an hour"},
	{"min", "分钟", "minutes"},
	{"ppm", "PPM", "parts per million"},
	{"m/s", "米每秒", "metres a second"},
	{"MHz", "兆赫", "megahertz"},
	{"GHz", "吉赫", "gigahertz"},
	{"kPa", "千帕", "kilopascals"},
	{"rpm", "转每分钟", "revolutions per minute"},
	{"hPa", "百帕", "hectopascals"},
	{"lux", "勒克斯", "lux"},
	{"°C", "摄氏度", "degrees Celsius"},
	{"°F", "华氏度", "degrees Fahrenheit"},
	{"kHz", "千赫", "kilohertz"},
	{"lx", "勒克斯", "lux"},
	{"Wh", "瓦时", "watt hours"},
	{"kW", "千瓦", "kilowatts"},
	{"dB", "分贝", "decibels"},
	{"Hz", "赫兹", "hertz"},
	{"Pa", "帕", "pascals"},
	{"ms", "毫秒", "milliseconds"},
	{"mW", "毫瓦", "milliwatts"},
	{"mV", "毫伏", "millivolts"},
	{"mA", "毫安", "milliamperes"},
	{"kg", "千克", "kilograms"},
	{"km", "公里", "kilometres"},
	{"cm", "厘米", "centimetres"},
	{"mm", "毫米", "millimetres"},
	{"mg", "毫克", "milligrams"},
	{"mL", "毫升", "millilitres"},
	{"ml", "毫升", "millilitres"},
	{"m2", "平方米", "square metres"},
	{"m3", "立方米", "cubic metres"},
	{"°", "度", "degrees"},
	{"%", "", "percent"}, // 百分之… stands before the number
	{"K", "K", "kelvin"},
	{"W", "瓦", "watts"},
	{"V", "伏", "volts"},
	{"A", "安", "amperes"},
	{"L", "升", "litres"},
	{"g", "克", "grams"},
	{"m", "米", "metres"},
	{"s", "秒", "seconds"},
	{"h", "小时", "hours"},
}

// unitAfter finds a unit at the start of s, with at most one space before it.
// A letter directly after the sign means it was the start of a word.
func unitAfter(s string) (unit, int) {
	t := strings.TrimPrefix(s, " ")
	for _, u := range units {
		rest, ok := strings.CutPrefix(t, u.sign)
		if !ok {
			continue
		}
		if next, _ := utf8.DecodeRuneInString(rest); isLatin(next) && u.sign != "%" {
			continue
		}
		return u, len(s) - len(rest)
	}
	return unit{}, 0
}

// said is the unit in English, after one or after several.
func (u unit) said(one bool) string {
	if !one {
		return u.en
	}
	words := strings.Split(u.en, " ")
	for i, word := range words {
		if single, many := strings.CutSuffix(word, "s"); many {
			words[i] = single
			break
		}
	}
	return strings.Join(words, " ")
}
