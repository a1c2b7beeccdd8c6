package demo

import (
	"encoding/json"
	"strconv"
)

// document is a request's body.
type document map[string]any

// amount is money as the API answers it. The demo uses euros.
type amount struct {
	Minor    int64  `json:"amount_minor"`
	Currency string `json:"currency"`
}

// String returns euros: "12.50 EUR".
func (a amount) String() string {
	const cents = 100
	rest := strconv.FormatInt(a.Minor%cents, 10)
	if len(rest) == 1 {
		rest = "0" + rest
	}
	return strconv.FormatInt(a.Minor/cents, 10) + "." + rest + " " + a.Currency
}

type line struct {
	SKU      string `json:"sku"`
	Quantity int64  `json:"quantity"`
}

type quote struct {
	ID       string `json:"id"`
	Subtotal amount `json:"subtotal"`
	Discount amount `json:"discount"`
	Shipping amount `json:"shipping"`
	Tax      amount `json:"tax"`
	Total    amount `json:"total"`
}

type order struct {
	ID               string `json:"id"`
	Status           string `json:"status"`
	PaymentStatus    string `json:"payment_status"`
	FulfilmentStatus string `json:"fulfilment_status"`
	Total            amount `json:"total"`
	ExpiresAt        string `json:"expires_at"`
}

type payment struct {
	ID         string `json:"id"`
	Status     string `json:"status"`
	Authorized amount `json:"authorized"`
	Captured   amount `json:"captured"`
	Refunded   amount `json:"refunded"`
}

type shipment struct {
	ID            string `json:"id"`
	Status        string `json:"status"`
	Lines         []line `json:"lines"`
	Amount        amount `json:"amount"`
	TrackingToken string `json:"tracking_token"`
}

type tracked struct {
	Status     string `json:"status"`
	Milestones []struct {
		Type string `json:"type"`
		At   string `json:"at"`
	} `json:"milestones"`
}

// event is an entry of the order's timeline.
type event struct {
	Type string          `json:"type"`
	Time string          `json:"time"`
	Data json.RawMessage `json:"data"`
}
