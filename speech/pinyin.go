package speech

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mozillazg/go-pinyin"
)

// phrases are words in which a character is not read as it mostly is.
// The longest match wins.
var phrases = map[string]string{
	"空调": "kong1 tiao2", "色调": "se4 diao4", "音调": "yin1 diao4", "语调": "yu3 diao4", "声调": "sheng1 diao4",
	"强调": "qiang2 diao4", "单调": "dan1 diao4", "低调": "di1 diao4", "调查": "diao4 cha2", "调用": "diao4 yong4", "调度": "diao4 du4",
	"成长": "cheng2 zhang3", "生长": "sheng1 zhang3", "长大": "zhang3 da4", "家长": "jia1 zhang3", "校长": "xiao4 zhang3",
	"银行": "yin2 hang2", "行业": "hang2 ye4", "一行": "yi1 hang2", "两行": "liang3 hang2",
	"还原": "huan2 yuan2", "归还": "gui1 huan2", "还给": "huan2 gei3",
	"重新": "chong2 xin1", "重复": "chong2 fu4", "重启": "chong2 qi3", "重试": "chong2 shi4", "重置": "chong2 zhi4", "重连": "chong2 lian2", "重名": "chong2 ming2",
	"得到": "de2 dao4", "获得": "huo4 de2", "取得": "qu3 de2", "得先": "dei3 xian1", "得等": "dei3 deng3",
	"模式": "mo2 shi4", "模样": "mu2 yang4", "角色": "jue2 se4",
	"数一数": "shu3 yi4 shu3", "为了": "wei4 le5", "因为": "yin1 wei4", "认为": "ren4 wei2", "成为": "cheng2 wei2", "设为": "she4 wei2", "改为": "gai3 wei2", "调为": "tiao2 wei2", "变为": "bian4 wei2", "作为": "zuo4 wei2", "分为": "fen1 wei2", "为止": "wei2 zhi3",
	"只有": "zhi3 you3", "只能": "zhi3 neng2", "只是": "zhi3 shi4", "不只": "bu4 zhi3", "只会": "zhi3 hui4", "只在": "zhi3 zai4", "只到": "zhi3 dao4",
	"一只": "yi4 zhi1", "两只": "liang3 zhi1",
	"首都": "shou3 du1", "成都": "cheng2 du1", "都市": "du1 shi4",
	"降落": "jiang4 luo4", "音乐": "yin1 yue4", "乐曲": "yue4 qu3", "觉得": "jue2 de5", "睡觉": "shui4 jiao4", "午觉": "wu3 jiao4",
	"房间": "fang2 jian1", "时间": "shi2 jian1", "间隔": "jian4 ge2", "间断": "jian4 duan4",
	"没有": "mei2 you3", "淹没": "yan1 mo4", "大夫": "dai4 fu5", "曲线": "qu1 xian4", "弯曲": "wan1 qu1",
	"测量": "ce4 liang2", "量程": "liang2 cheng2", "度量": "du4 liang2", "转动": "zhuan4 dong4", "转速": "zhuan4 su4", "旋转": "xuan2 zhuan3",
	"风扇": "feng1 shan4", "扇风": "shan1 feng1", "切换": "qie1 huan4", "切断": "qie1 duan4", "一切": "yi2 qie4",
	"应该": "ying1 gai1", "反应": "fan3 ying4", "响应": "xiang3 ying4", "应答": "ying4 da2", "适应": "shi4 ying4", "供应": "gong1 ying4",
	"相应": "xiang1 ying4", "更新": "geng1 xin1", "变更": "bian4 geng1", "更换": "geng1 huan4", "更改": "geng1 gai3",
	"便宜": "pian2 yi5", "传感器": "chuan2 gan3 qi4", "说明": "shuo1 ming2", "朝向": "chao2 xiang4", "钥匙": "yao4 shi5", "尽快": "jin3 kuai4", "尽量": "jin3 liang4",
	"窗户": "chuang1 hu5", "帘子": "lian2 zi5", "孩子": "hai2 zi5", "椅子": "yi3 zi5", "桌子": "zhuo1 zi5", "儿子": "er2 zi5", "妻子": "qi1 zi5", "房子": "fang2 zi5",
	"东西": "dong1 xi5", "什么": "shen2 me5", "怎么": "zen3 me5", "这么": "zhe4 me5", "那么": "na4 me5", "多少": "duo1 shao5", "先生": "xian1 sheng5",
	"知道": "zhi1 dao4", "着火": "zhao2 huo3", "睡着": "shui4 zhao2", "找着": "zhao3 zhao2", "似的": "shi4 de5", "目的": "mu4 di4", "的确": "di2 que4",
	"了解": "liao3 jie3", "受不了": "shou4 bu4 liao3", "慢慢地": "man4 man4 de5", "好好地": "hao3 hao3 de5", "暖和": "nuan3 huo5", "和面": "huo2 mian4",
	"奇数": "ji1 shu4", "少年": "shao4 nian2", "露台": "lu4 tai2", "地区": "di4 qu1", "地板": "di4 ban3", "分量": "fen4 liang4", "成分": "cheng2 fen4", "水分": "shui3 fen4",
	"屏幕": "ping2 mu4", "投屏": "tou2 ping2", "熨烫": "yun4 tang4", "倒计时": "dao4 ji4 shi2", "倒水": "dao4 shui3", "倒下": "dao3 xia4",
	"处理": "chu3 li3", "处于": "chu3 yu2", "几乎": "ji1 hu1", "几何": "ji3 he2", "差不多": "cha4 bu5 duo1", "差异": "cha1 yi4", "温差": "wen1 cha1", "误差": "wu4 cha1",
	"冷藏": "leng3 cang2", "宝藏": "bao3 zang4", "薄荷": "bo4 he5", "结实": "jie1 shi5", "背景": "bei4 jing3", "喷雾": "pen1 wu4", "好奇": "hao4 qi2", "爱好": "ai4 hao4",
	"看护": "kan1 hu4", "看看": "kan4 kan5", "扫帚": "sao4 zhou5", "吸尘": "xi1 chen2", "卡住": "qia3 zhu4", "血压": "xue4 ya1", "校准": "jiao4 zhun3", "难受": "nan2 shou4",
	"系上": "ji4 shang4", "盛水": "cheng2 shui3", "不一会儿": "bu4 yi2 hui4 er5", "一会儿": "yi2 hui4 er5",
}

// readings replace the library's most frequent reading of one character.
var readings = map[rune]string{
	'调': "tiao2", // 调到, 调成, 调高: what a home says nearly always
	'的': "de5", '了': "le5", '着': "zhe5", '得': "de5", '吗': "ma5", '吧': "ba5", '呢': "ne5", '啊': "a5", '们': "men5", '么': "me5", '嘛': "ma5", '呗': "bei5", '啦': "la5",
	'嗯': "en4", '哎': "ai1", '俩': "liang3", '两': "liang3", '谁': "shei2", '呀': "ya5", '哦': "o4", '长': "chang2", '卧': "wo4", '更': "geng4", '盛': "sheng4",
}

// letters are the names Mandarin speakers give to Latin letters.
var letters = [26]string{
	"ei1", "bi4", "xi1", "di4", "yi4", "ai2 fu5", "ji4", "ei1 chi5", "ai1", "zhei4", "kei4", "ai2 lou5", "ai2 mu5",
	"en1", "ou1", "pi4", "kou4 you5", "a4 er5", "ai2 si5", "ti4", "you1", "wei1", "da2 bu5 liu5", "ai2 ke5 si5", "wai1", "zei4",
}

const longestPhrase = 4 // characters

// pinyinOf writes Han characters, spelled letters and punctuation as pinyin
// with tone digits. Third-tone change is left to the voice, which does it.
func pinyinOf(han string) string {
	runes := []rune(strings.TrimSpace(han))
	var b strings.Builder
	sound := false
	for i := 0; i < len(runes); {
		if n, said := phraseAt(runes[i:]); n > 0 {
			space(&b)
			b.WriteString(said)
			sound, i = true, i+n
			continue
		}
		r := runes[i]
		switch {
		case r == '一' || r == '不':
			space(&b)
			b.WriteString(changing(runes, i))
			sound = true
		case unicode.Is(unicode.Han, r):
			if s := syllable(r); s != "" {
				space(&b)
				b.WriteString(s)
				sound = true
			}
		case r >= 'A' && r <= 'Z':
			space(&b)
			b.WriteString(letters[r-'A'])
			sound = true
		case r != ' ':
			b.WriteRune(r)
		}
		i++
	}
	if !sound {
		return ""
	}
	return strings.TrimLeft(b.String(), " ,.?!")
}

func space(b *strings.Builder) {
	if b.Len() > 0 {
		b.WriteByte(' ')
	}
}

func phraseAt(runes []rune) (n int, said string) {
	for n := min(longestPhrase, len(runes)); n >= 2; n-- {
		if said, ok := phrases[string(runes[:n])]; ok {
			return n, said
		}
	}
	return 0, ""
}

// syllable is the reading of one character, with its tone as a digit; 5 is
// the neutral tone.
func syllable(r rune) string {
	if s, ok := readings[r]; ok {
		return s
	}
	args := pinyin.Args{Style: pinyin.Tone3, Separator: " "}
	all := pinyin.SinglePinyin(r, args)
	if len(all) == 0 || all[0] == "" {
		return ""
	}
	if s := all[0]; !isDigit(rune(s[len(s)-1])) {
		return s + "5"
	}
	return all[0]
}

// changing reads 一 and 不, whose tone follows the next syllable: 不 is bu2
// before a fourth tone; 一 is yi2 before a fourth tone and yi4 before others,
// unless it counts (第一, 十一, 一二三, 百分之一) or ends the phrase.
func changing(runes []rune, i int) string {
	next := 0
	if i+1 < len(runes) {
		next = toneAt(runes[i+1:])
	}
	if runes[i] == '不' {
		if next == 4 {
			return "bu2"
		}
		return "bu4"
	}
	const (
		after    = "第之十零点初统唯周期" // 第一, 百分之一, 十一, 零点一
		numerals = "零一二三四五六七八九十"
		powers   = "百千万亿"
	)
	var previous, following, second rune
	if i > 0 {
		previous = runes[i-1]
	}
	if i+1 < len(runes) {
		following = runes[i+1]
	}
	if i+2 < len(runes) {
		second = runes[i+2]
	}
	in := func(set string, r rune) bool { return r != 0 && strings.ContainsRune(set, r) }
	switch {
	case next == 0, in(numerals, following), following == '到', following == '点' && in(numerals, second):
		return "yi1"
	case in(powers, following) && previous != '第':
	case in(after, previous), previous == '百':
		return "yi1"
	}
	if next == 4 || following == '个' { // 个 is neutral here, from a fourth tone
		return "yi2"
	}
	return "yi4"
}

// toneAt is the tone of the first syllable of runes, 0 when there is none.
func toneAt(runes []rune) int {
	said := ""
	if _, p := phraseAt(runes); p != "" {
		said, _, _ = strings.Cut(p, " ")
	} else if unicode.Is(unicode.Han, runes[0]) {
		said = syllable(runes[0])
	}
	if said == "" {
		return 0
	}
	tone, _ := utf8.DecodeLastRuneInString(said)
	return int(tone - '0')
}
