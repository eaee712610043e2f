package voice

import (
	"embed"
	"encoding/json"
	"fmt"
	"strings"

	"lampworks/nlu"
)

//go:embed replies/*.json
var replyFiles embed.FS

// A catalogue holds the phrases of one language.
type catalogue map[phrase]string

// catalogues reads the embedded files; the test of this package fails where
// they are broken.
func catalogues() map[string]catalogue {
	all := make(map[string]catalogue)
	for _, lang := range []string{nlu.Chinese, nlu.English} {
		b, err := replyFiles.ReadFile("replies/" + lang + ".json")
		if err == nil {
			var c catalogue
			err = json.Unmarshal(b, &c)
			all[lang] = c
		}
		if err != nil {
			panic(fmt.Sprintf("reading the embedded replies in %s: %v", lang, err))
		}
	}
	return all
}

// say fills a phrase. with holds names and values in turn: "names", "the lamp".
// What is filled in is not looked at again, whatever it holds.
func (c catalogue) say(p phrase, with ...string) string {
	rest := c[p]
	if !strings.Contains(rest, "{") {
		return rest
	}
	var b strings.Builder
	for {
		before, after, found := strings.Cut(rest, "{")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		name, after, _ := strings.Cut(after, "}")
		for i := 0; i+1 < len(with); i += 2 {
			if with[i] == name {
				b.WriteString(with[i+1])
				break
			}
		}
		rest = after
	}
}

// A phrase is the key of a reply, or of a part of one.
type phrase string

const (
	wordAnd    phrase = "and"
	wordBut    phrase = "but"
	wordChoice phrase = "choice"
	wordClause phrase = "clause"
	wordEnd    phrase = "end"
	wordList   phrase = "list"
	wordOK     phrase = "ok"
	wordOr     phrase = "or"

	namesInRoom phrase = "names.in_room"
	namesMore   phrase = "names.more"
	namesPlain  phrase = "names.plain"
	namesIt     phrase = "names.it"
	namesRoom   phrase = "names.room"

	valueOn      phrase = "value.on"
	valueOff     phrase = "value.off"
	valueOpen    phrase = "value.open"
	valueClosed  phrase = "value.closed"
	valueYes     phrase = "value.yes"
	valueNo      phrase = "value.no"
	valueMode    phrase = "value.mode"
	valuePercent phrase = "value.percent"
	valueCelsius phrase = "value.celsius"
	valueUnit    phrase = "value.unit"

	donePowerOn  phrase = "done.power_on"
	donePowerOff phrase = "done.power_off"
	doneOpened   phrase = "done.opened"
	doneClosed   phrase = "done.closed"
	donePosition phrase = "done.position"
	doneLocked   phrase = "done.locked"
	doneUnlocked phrase = "done.unlocked"
	donePartOn   phrase = "done.part_on"
	donePartOff  phrase = "done.part_off"
	doneColour   phrase = "done.colour"
	doneMode     phrase = "done.mode"
	doneSet      phrase = "done.set"
	doneValue    phrase = "done.value"
	doneUp       phrase = "done.up"
	doneDown     phrase = "done.down"
	doneMany     phrase = "done.many"
	doneCall     phrase = "done.call"
	doneSent     phrase = "done.sent"
	laterTold    phrase = "done.told_later"

	doneAnnounced     phrase = "done.announced"
	failedNoSpeaker   phrase = "failed.no_speaker"
	failedOften       phrase = "failed.announced_often"
	failedAnnounce    phrase = "failed.announce"
	rejectMissingText phrase = "reject.missing_text"
	stageAnnounced    phrase = "stage.announced"

	doneScene        phrase = "done.scene"
	doneScenePartly  phrase = "done.scene_partly"
	doneSceneStarted phrase = "done.scene_started"

	alreadyOn    phrase = "already.on"
	alreadyOff   phrase = "already.off"
	alreadyValue phrase = "already.value"

	failedOffline      phrase = "failed.offline"
	failedSilent       phrase = "failed.silent"
	failedWaiting      phrase = "failed.waiting"
	failedWrong        phrase = "failed.wrong"
	failedWrongValue   phrase = "failed.wrong_value"
	failedRefused      phrase = "failed.refused"
	failedRefusedNote  phrase = "failed.refused_note"
	failedReplaced     phrase = "failed.replaced"
	failedBusy         phrase = "failed.busy"
	failedSuspended    phrase = "failed.suspended"
	failedOutOfRange   phrase = "failed.out_of_range"
	failedUnknownState phrase = "failed.unknown_state"
	failedUnsupported  phrase = "failed.unsupported"
	failedInvalid      phrase = "failed.invalid"
	failedScene        phrase = "failed.scene"
	failedSceneBroken  phrase = "failed.scene_broken"

	stageRead      phrase = "stage.read"
	stageCompiled  phrase = "stage.compiled"
	stageRepaired  phrase = "stage.repaired"
	stageUnread    phrase = "stage.unread"
	stageHanded    phrase = "stage.handed"
	stageVain      phrase = "stage.vain"
	stageFound     phrase = "stage.found"
	stageSent      phrase = "stage.sent"
	stageSome      phrase = "stage.some_sent"
	stageScenes    phrase = "stage.scenes"
	stageTimers    phrase = "stage.timers"
	stageUndone    phrase = "stage.undone"
	stageConfirmed phrase = "stage.confirmed"
	stageWritten   phrase = "stage.written"

	queryOn      phrase = "query.on"
	queryOff     phrase = "query.off"
	queryAllOn   phrase = "query.all_on"
	queryAllOff  phrase = "query.all_off"
	querySomeOn  phrase = "query.some_on"
	queryOpen    phrase = "query.open"
	queryClosed  phrase = "query.closed"
	queryValue   phrase = "query.value"
	queryUnknown phrase = "query.unknown"
	queryOffline phrase = "query.offline"

	clarifyDeviceInRooms phrase = "clarify.device_in_rooms"
	clarifyDevice        phrase = "clarify.device"
	clarifyWhich         phrase = "clarify.which"
	clarifyMissingDevice phrase = "clarify.missing_device"
	clarifyProperty      phrase = "clarify.property"
	clarifyValue         phrase = "clarify.value"
	clarifyWords         phrase = "clarify.words"
	clarifyAgain         phrase = "clarify.again"

	confirmUnlock phrase = "confirm.unlock"
	confirmOpen   phrase = "confirm.open"
	confirmOn     phrase = "confirm.on"
	confirmCall   phrase = "confirm.call"
	confirmScene  phrase = "confirm.scene"

	rejectNoDeviceInRoom  phrase = "reject.no_device_in_room"
	rejectNoNamedDevice   phrase = "reject.no_named_device"
	rejectNoDevice        phrase = "reject.no_device"
	rejectNoProperty      phrase = "reject.no_property"
	rejectNoPropertyAtAll phrase = "reject.no_property_at_all"
	rejectNoValue         phrase = "reject.no_value"
	rejectNoSuchValue     phrase = "reject.no_such_value"
	rejectOutOfRange      phrase = "reject.out_of_range"
	rejectRange           phrase = "reject.range"
	rejectReadOnly        phrase = "reject.read_only"
	rejectTooLong         phrase = "reject.too_long"
	rejectConditional     phrase = "reject.conditional"
	rejectCannot          phrase = "reject.cannot"
	rejectNotAllowed      phrase = "reject.not_allowed"

	timerRing         phrase = "timer.ring"
	timerRemind       phrase = "timer.remind"
	timerOn           phrase = "timer.on"
	timerOff          phrase = "timer.off"
	timerOpen         phrase = "timer.open"
	timerClose        phrase = "timer.close"
	timerChange       phrase = "timer.change"
	timerScene        phrase = "timer.scene"
	timerGap          phrase = "timer.gap"
	timerFirst        phrase = "timer.first"
	timerNone         phrase = "timer.none"
	sceneBusy         phrase = "scene.busy"
	sceneGone         phrase = "scene.gone"
	timerNoLike       phrase = "timer.no_like"
	timerNoSuch       phrase = "timer.no_such"
	undoneCommands    phrase = "undone.commands"
	undoneScene       phrase = "undone.scene"
	undoneTooLate     phrase = "undone.too_late"
	undoneNothing     phrase = "undone.nothing"
	timerOthers       phrase = "timer.others"
	timerTooMany      phrase = "timer.too_many"
	timerTooMuch      phrase = "timer.too_much"
	timerPast         phrase = "timer.past"
	timerRefused      phrase = "timer.refused"
	timerAnswer       phrase = "timer.answer"
	timerAround       phrase = "timer.around"
	timerWhich        phrase = "timer.which"
	timerCancelled    phrase = "timer.cancelled"
	timerAllCancelled phrase = "timer.all_cancelled"
	timerLeft         phrase = "timer.left"
	timerMore         phrase = "timer.more"
	timerNamed        phrase = "timer.named"
	timerOfLength     phrase = "timer.of_length"
	timerOfTime       phrase = "timer.of_time"

	whenAfter    phrase = "when.after"
	whenToday    phrase = "when.today"
	whenTomorrow phrase = "when.tomorrow"
	whenDate     phrase = "when.date"
	whenDay      phrase = "when.day"
	whenEvery    phrase = "when.every"
	daysAll      phrase = "days.all"
	daysWork     phrase = "days.work"
	daysOff      phrase = "days.off"
	daysSome     phrase = "days.some"

	lengthDay     phrase = "length.day"
	lengthDays    phrase = "length.days"
	lengthHour    phrase = "length.hour"
	lengthHours   phrase = "length.hours"
	lengthMinute  phrase = "length.minute"
	lengthMinutes phrase = "length.minutes"
	lengthSecond  phrase = "length.second"
	lengthSeconds phrase = "length.seconds"
	lengthAnd     phrase = "length.and"

	laterTimer phrase = "later.timer"
	laterScene phrase = "later.scene"

	chatNegated       phrase = "chat.negated"
	chatNarrative     phrase = "chat.narrative"
	chatNotUnderstood phrase = "chat.not_understood"

	whatThis phrase = "what.this"
)

// Phrases of which the rest of the key is data.
const (
	whatPrefix   phrase = "what."   // + nlu.Meaning
	colourPrefix phrase = "colour." // + name of a colour
	dayPrefix    phrase = "day."    // + name of a weekday
)
