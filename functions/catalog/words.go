package catalog

import (
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

const (
	// MinWord is the minimum length of a word that finds products, in characters (Unicode code points). A
	// character of a script without spaces is a word if it is alone.
	MinWord = 2
	// MaxWord is the length to which longer words are cut, in products and in queries.
	MaxWord = 32
	// MaxWords is the maximum number of different words that find a product: the first ones of its SKU,
	// name and tags, in this order.
	MaxWords = 40
	// MaxPhrase is the length to which longer phrases are cut, in products and in queries.
	MaxPhrase = 100
)

// Words returns the words that find the product, at most MaxWords.
func (p Product) Words() []string {
	return words(MaxWords, true, append([]string{p.SKU, p.Name}, p.Tags...)...)
}

// Phrases returns the product's whole SKU and name, as Query.Phrase has a query. Either may be empty.
func (p Product) Phrases() (sku, name string) { return phrase(p.SKU), phrase(p.Name) }

// words returns the different words of the texts in the order of their first appearance, at most limit. A word
// is a run of letters, numbers and their marks. A run of a script without spaces has a word for each two
// neighbours. With ends it has one for its last character too, so that a query of one character finds each of
// them: the others begin a pair.
func words(limit int, ends bool, texts ...string) []string {
	var list []string
	seen := map[string]bool{}
	add := func(word []rune) {
		if s := string(word); !seen[s] && len(list) < limit {
			seen[s] = true
			list = append(list, s)
		}
	}
	for _, text := range texts {
		for _, run := range runs(fold(text)) {
			if !Unspaced(run[0]) {
				if len(run) >= MinWord {
					add(run[:min(len(run), MaxWord)])
				}
				continue
			}
			for i := range len(run) - 1 {
				add(run[i : i+2])
			}
			if ends || len(run) == 1 {
				add(run[len(run)-1:])
			}
		}
	}
	return list
}

// phrase returns the text without what does not distinguish it: the folded runs, each after a space but the first.
func phrase(text string) string {
	var b strings.Builder
	for _, run := range runs(fold(text)) {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(string(run))
	}
	whole := []rune(b.String())
	return strings.TrimSpace(string(whole[:min(len(whole), MaxPhrase)]))
}

// runs splits a folded text at everything that is not a letter, a number or a mark, and where a script without
// spaces begins or ends.
func runs(text string) [][]rune {
	var list [][]rune
	inRun := false
	for _, r := range text {
		if !unicode.In(r, unicode.L, unicode.N, unicode.M) {
			inRun = false
			continue
		}
		if n := len(list); inRun && Unspaced(r) == Unspaced(list[n-1][0]) {
			list[n-1] = append(list[n-1], r)
		} else {
			list = append(list, []rune{r})
		}
		inRun = true
	}
	return list
}

// Unspaced reports whether r belongs to a script that is written without spaces between words, or, as Korean, with
// words that are joined: Han, Kana, Hangul, Thai, Lao, Khmer and Myanmar.
func Unspaced(r rune) bool {
	switch r {
	case 'ー', '\u3099', '\u309A': // long vowels and voicing belong to Hiragana and Katakana alike
		return true
	default:
		return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul,
			unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
	}
}

// fold returns the form in which products and queries are compared: compatible characters are one (NFKD, Unicode
// Standard Annex 15), case is folded in full, and invisible characters and accents are removed. Marks that are
// letters of their own to readers stay, such as vowels in Devanagari.
func fold(text string) string {
	text = strings.Map(bare, norm.NFKD.String(text))
	// Fold makes capitals of small Cherokee letters, and small ones of capitals. ToLower changes no other script.
	text = strings.Map(bare, norm.NFKD.String(strings.ToLower(cases.Fold().String(text))))
	text = strings.ReplaceAll(strings.ReplaceAll(text, "æ", "ae"), "œ", "oe")
	return norm.NFC.String(text)
}

// bare is for strings.Map: it removes invisible characters and accents, also from the small letters whose accent
// Unicode does not decompose.
func bare(r rune) rune {
	switch r {
	case 'ø':
		return 'o'
	case 'ł':
		return 'l'
	case 'đ':
		return 'd'
	case 'ħ':
		return 'h'
	case 'ŧ':
		return 't'
	case 'ı':
		return 'i'
	}
	if ignorable(r) || accent(r) {
		return -1
	}
	return r
}

// ignorable reports whether r is a Default_Ignorable_Code_Point (Unicode Standard, DerivedCoreProperties.txt), such
// as a soft hyphen or a zero-width space.
func ignorable(r rune) bool {
	switch {
	case r < 0x80:
		return false
	case r >= 0xFFF9 && r <= 0xFFFB, r >= 0x13430 && r <= 0x1343F, unicode.Is(unicode.Prepended_Concatenation_Mark, r):
		return false
	default:
		return unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
	}
}

// accent reports whether r is a mark that people leave out when they type: accents of Latin, Greek and Cyrillic
// letters, and vowels of Hebrew and Arabic.
func accent(r rune) bool {
	switch {
	case r < 0x300, r == '\u3099', r == '\u309A':
		return false
	default:
		return unicode.In(r, unicode.Mn, unicode.Me) &&
			unicode.In(r, unicode.Inherited, unicode.Cyrillic, unicode.Hebrew, unicode.Arabic)
	}
}
