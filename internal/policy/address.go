package policy

import (
	"strings"

	"github.com/tienda-dev/tienda/shared/problem"
)

// Limits of an address; lengths are in characters (Unicode code points).
const (
	// MaxAddressLine is the limit of each line, of the city and of the region.
	MaxAddressLine = 100
	// MaxPostalCode is the limit of a postal code.
	MaxPostalCode = 20
)

// Address is where parcels go. It is personal data: it never appears in logs, errors or telemetry.
type Address struct {
	// Name is the person or company that receives the parcel.
	Name string `json:"name" dynamodbav:"name"`
	// Line1 is the street and the number, or what the country has instead.
	Line1 string `json:"line1" dynamodbav:"line1"`
	// Line2 may be empty.
	Line2 string `json:"line2,omitempty" dynamodbav:"line2,omitempty"`
	// City is the town.
	City string `json:"city" dynamodbav:"city"`
	// Region is the state or province, and empty where addresses have none.
	Region string `json:"region,omitempty" dynamodbav:"region,omitempty"`
	// PostalCode is empty where addresses have none.
	PostalCode string `json:"postal_code,omitempty" dynamodbav:"postal_code,omitempty"`
	// Country is an alphabetic ISO 3166-1 code of two capitals.
	Country string `json:"country" dynamodbav:"country"`
}

// Validate returns the problems of an address from a request, for the request's own Validate. pointer is the JSON
// pointer of the address in the request ("/ship_to").
func (a Address) Validate(pointer string) []problem.FieldError {
	var broken []problem.FieldError
	refuse := func(member, fault string) {
		if fault != "" {
			broken = append(broken, problem.FieldError{Pointer: pointer + "/" + member, Detail: fault})
		}
	}
	required := func(member, value string, limit int) {
		if value == "" {
			refuse(member, "is required")
			return
		}
		refuse(member, NameFault(value, limit))
	}
	optional := func(member, value string, limit int) {
		refuse(member, LineFault(value, limit))
	}
	required("name", a.Name, MaxPersonName)
	required("line1", a.Line1, MaxAddressLine)
	optional("line2", a.Line2, MaxAddressLine)
	required("city", a.City, MaxAddressLine)
	optional("region", a.Region, MaxAddressLine)
	optional("postal_code", a.PostalCode, MaxPostalCode)
	refuse("country", CountryFault(a.Country))
	return broken
}

// CountryFault returns the rule that a country code breaks, and "" if it breaks none: an assigned alphabetic code of
// ISO 3166-1 in two capitals.
func CountryFault(code string) string {
	switch {
	case code == "":
		return "is required"
	case len(code) != 2 || strings.Contains(code, " ") || !strings.Contains(countries, code):
		return "must be an ISO 3166-1 code of two capitals, such as ES"
	default:
		return ""
	}
}

// Countries returns every code that CountryFault accepts, in alphabetical order.
func Countries() []string { return strings.Fields(countries) }

// countries has the codes that ISO 3166-1 assigns (https://www.iso.org/obp/ui/#search/code/).
const countries = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ " +
	"CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR " +
	"GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP " +
	"KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ " +
	"NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW " +
	"SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ " +
	"UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW"
