package nlu

// soundRune is one character with its readings.
type soundRune struct{}

func addSounds(t *trie, word []rune, s sense) {}
