title "A shop gives money back, and not more than it got"
open "Tea House"
enter Mei with a band and 100 CNY
Mei: set up
pay 40 CNY to "Tea House" for "a tea set"
press
expect settled
"Tea House": refund 15 CNY of "a tea set"
expect settled "25.00 CNY of the payment are left"
refund "a tea set" again
expect the receipt of "the refund of a tea set"
expect books Mei 75 CNY, "Tea House" 25 CNY
refund 25.01 CNY of "a tea set"
expect refused "more than is left"
refund 25.01 CNY of "a tea set" at another till
expect refused "more than is left"
refund 25 CNY of "a tea set"
expect settled "0.00 CNY of the payment are left"
expect books Mei 100 CNY, "Tea House" 0 CNY
issuer: audit
