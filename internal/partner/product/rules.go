package product

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"lampworks/internal/infra/fault"
	"lampworks/tsl"
)

// Limits of what people write.
const (
	maxName     = 64        // letters of a product's name
	maxNote     = 500       // letters of a publication's note
	maxDocument = 512 << 10 // bytes of a thing model
)

func checkNames(names Names) error {
	if len(names) == 0 {
		return fault.Invalid("/names", "empty", "a name in zh-CN, en or both", `send {"zh-CN":"…","en":"…"}`)
	}
	for _, lang := range slices.Sorted(maps.Keys(names)) {
		if lang != "zh-CN" && lang != "en" {
			return fault.Invalid("/names/"+lang, lang, "the language zh-CN or en", "")
		}
		if n := names[lang]; strings.TrimSpace(n) != n || n == "" || !line(n, maxName) {
			return fault.Invalid("/names/"+lang, n, "1 to 64 letters on one line without blanks around them", "")
		}
	}
	return nil
}

func checkNote(note string) error {
	if !line(note, maxNote) {
		return fault.Invalid("/note", note, "at most 500 letters on one line", "")
	}
	return nil
}

// line reports a text of at most most letters without control characters.
func line(s string, most int) bool {
	return utf8.ValidString(s) && utf8.RuneCountInString(s) <= most && !strings.ContainsFunc(s, unicode.IsControl)
}

// compact is a document as it is kept: JSON without blanks, whatever else is wrong with it.
func compact(document []byte) (json.RawMessage, error) {
	if len(document) > maxDocument {
		return nil, fault.TooLarge("/document", int64(len(document)), maxDocument)
	}
	if !utf8.Valid(document) {
		return nil, fault.Invalid("/document", "not UTF-8", "a JSON object in UTF-8", "save the file as UTF-8")
	}
	var b bytes.Buffer
	if err := json.Compact(&b, bytes.TrimPrefix(document, []byte("\xEF\xBB\xBF"))); err != nil {
		return nil, fault.Invalid("/document", "not JSON: "+err.Error(), "a JSON object", "send well-formed JSON")
	}
	if b.Bytes()[0] != '{' {
		return nil, fault.Invalid("/document", string(b.Bytes()[:min(64, b.Len())]), "a JSON object", "")
	}
	return b.Bytes(), nil
}

// checkDocument is a good thing model as it is kept; of another the fault holds every problem as its cause.
func checkDocument(document []byte) (json.RawMessage, error) {
	kept, err := compact(document)
	if err != nil {
		return nil, err
	}
	_, err = tsl.Parse(kept)
	if problems, ok := errors.AsType[tsl.Problems](err); ok {
		return nil, broken(problems)
	}
	return kept, err
}

// broken is the fault of a document with problems; errors.AsType finds the [tsl.Problems] in it.
func broken(problems tsl.Problems) error {
	what := fmt.Sprintf("the thing model has %d problems, the first: %s", len(problems), problems[0])
	if len(problems) == 1 {
		what = "the thing model has a problem: " + problems[0].String()
	}
	return &fault.Fault{
		Code: fault.Malformed, What: what, Where: "/document" + problems[0].Path,
		Got: problems[0].Got, Rule: problems[0].Rule, Fix: problems[0].Fix, Err: problems,
	}
}
