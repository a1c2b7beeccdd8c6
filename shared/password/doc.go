// Package password hashes passwords with argon2id, verifies them against stored hashes, and refuses
// those that attackers guess first. It is the only importer of golang.org/x/crypto's argon2 and bcrypt.
//
// Hashes are PHC strings that carry their parameters:
//
//	$argon2id$v=19$m=19456,t=2,p=1$<salt>$<tag>
//
// The default parameters are the OWASP minimum for argon2id (19 MiB, two passes, one lane), which
// fits a function of 512 MB. The parameters of a stored hash are checked against caps before they are
// used, because they decide how much memory and time a login takes. bcrypt hashes of an imported user
// base are verified and never made; Verify reports them as outdated, and argon2id hashes with other
// parameters than the configured ones too.
//
// A password is hashed as the bytes of its UTF-8 text: nothing is truncated, trimmed, folded or
// normalized. Clients on which one key press can give two spellings ("é" as one code point or two)
// should send NFC. There are no composition rules: NIST SP 800-63B and OWASP ASVS advise against them.
package password
