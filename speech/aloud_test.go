package speech

import (
	"context"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestAloudInChinese(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"好的，空调已调到26℃。", "好的，空调已调到二十六摄氏度。"},
		{"26.5 °C", "二十六点五摄氏度"},
		{"-5℃", "零下五摄氏度"},
		{"−5 °F", "负五华氏度"},
		{"亮度50%", "亮度百分之五十"},
		{"亮度５０％", "亮度百分之五十"},
		{"室外-5℃", "室外零下五摄氏度"},
		{"7:30", "七点半"},
		{"明天7：45起床", "明天七点四十五分起床"},
		{"2:05:09", "两点零五分九秒"},
		{"19:00", "十九点整"},
		{"比例是16:9", "比例是十六:九"},
		{"29:30", "二十九:三十"},
		{"2026-11-23", "二零二六年十一月二十三日"},
		{"2026/1/3", "二零二六年一月三日"},
		{"2026-13-40", "两千零二十六到十三到四十"},
		{"2026年3月", "二零二六年三月"},
		{"用电2.5kW·h", "用电二点五千瓦时"},
		{"1500 W", "一千五百瓦"},
		{"CO2 是 400ppm", "CO二 是 四百PPM"},
		{"PM2.5是35μg/m³", "PM二点五是三十五微克每立方米"},
		{"300 lx", "三百勒克斯"},
		{"30min", "三十分钟"},
		{"20㎡", "二十平方米"},
		{"2小时后", "两小时后"},
		{"第2个", "第二个"},
		{"20~26℃", "二十到二十六摄氏度"},
		{"1..100 %", "一到百分之一百"},
		{"½", "二分之一"},
		{"编号007", "编号零零七"},
		{"0.5", "零点五"},
		{"版本1.4.2", "版本一点四点二"},
		{"已打开 floor lamp。", "已打开 floor lamp。"},
		{"主卧的灯（左边）：开", "主卧的灯（左边）：开"},
		{"客厅\x00的\u202e灯", "客厅 的 灯"},
		{"5GHz 5Wat", "五吉赫 五Wat"},
		{"1000000000000", "一零零零零零零零零零零零零"},
		{"12,846台", "一万两千八百四十六台"},
	} {
		if got := Aloud(tt.in, Chinese); got != tt.want {
			t.Errorf("Aloud(%q)\n got %q\nwant %q", tt.in, got, tt.want)
		}
	}
}

func TestAloudInEnglish(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"Done, 26 °C.", "Done, twenty-six degrees Celsius."},
		{"1°C", "one degree Celsius"},
		{"-5 °C", "minus five degrees Celsius"},
		{"Brightness is 50 %", "Brightness is fifty percent"},
		{"at 7:30, 7:00, 7:05, 0:00 and 19:00", "at seven thirty, seven o'clock, seven oh five, midnight and nineteen hundred"},
		{"7:00 pm", "seven pm"},
		{"7:30:01", "seven thirty and one seconds"},
		{"2026-11-23", "November twenty-third, twenty twenty-six"},
		{"2005-01-12, 2000-02-20, 1905-03-08", "January twelfth, two thousand and five, February twentieth, two thousand, March eighth, nineteen oh five"},
		{"the 1st, the 22nd and the 40th", "the first, the twenty-second and the fortieth"},
		{"2.5 kWh and 1 kWh", "two point five kilowatt hours and one kilowatt hour"},
		{"400 ppm, 35 μg/m³, 300 lx, 60 W, 10 min", "four hundred parts per million, thirty-five micrograms per cubic metre, three hundred lux, sixty watts, ten minutes"},
		{"2700–6500 K", "two thousand seven hundred to six thousand five hundred kelvin"},
		{"1,234,567", "one million two hundred and thirty-four thousand five hundred and sixty-seven"},
		{"100001", "one hundred thousand and one"},
		{"1000000000000", "one zero zero zero zero zero zero zero zero zero zero zero zero"},
		{"PM2.5 is 007", "PM two point five is zero zero seven"},
		{"客厅2号灯 is on", "客厅二号灯 is on"},
		{"客厅2-3 is on", "客厅二到三 is on"},
		{"5metres", "five metres"},
		{"version 1.4.2", "version one point four point two"},
		{"the floor lamp is on", "the floor lamp is on"},
	} {
		if got := Aloud(tt.in, English); got != tt.want {
			t.Errorf("Aloud(%q)\n got %q\nwant %q", tt.in, got, tt.want)
		}
	}
}

// A text that was written out holds no digit, is not written out again, and is
// not endless.
func FuzzAloud(f *testing.F) {
	for _, s := range []string{"好的，26℃", "-1-2:3", "1..2..3", "１２：３０", "7：30", "½¾①", "1\u0301", "9999999999999999999999", "2026-11-23T07:30", "ﷺ7m2", "\x00\u202e", "1st2nd"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) {
			t.Skip()
		}
		for _, lang := range []string{Chinese, English} {
			once := Aloud(s, lang)
			if again := Aloud(once, lang); again != once {
				t.Errorf("Aloud(%q, %s) is %q, and then %q", s, lang, once, again)
			}
			if strings.ContainsAny(once, "0123456789") {
				t.Errorf("Aloud(%q, %s) is %q", s, lang, once)
			}
			if n, most := utf8.RuneCountInString(once), 20*utf8.RuneCountInString(s)+64; n > most {
				t.Errorf("Aloud(%q, %s) has %d characters, want at most %d", s, lang, n, most)
			}
		}
	})
}

func TestCacheKnowsWhatIsSaidTheSame(t *testing.T) {
	next := &counter{}
	c := NewCache(next, 0)
	for _, text := range []string{"26℃", "２６ °C", "二十六摄氏度"} {
		if _, err := c.Speak(context.Background(), text, Chinese); err != nil {
			t.Fatal(err)
		}
	}
	if n := next.calls.Load(); n != 1 {
		t.Errorf("spoken %d times, want once", n)
	}
}

func BenchmarkAloud(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		Aloud("好的，客厅的空调已调到26℃，湿度百分之50。", Chinese)
	}
}
