title "Small amounts without a press, as many as the issuer allows"
open "Tea House"
issuer: allow 3 payments of 5 CNY and 13 CNY together without a press
enter Mei with a band and 50 CNY
Mei: set up
pay 5 CNY to "Tea House" for "tea"
expect settled tell "Nobody pressed, and it is settled: {}."
pay 5 CNY to "Tea House" for "more tea"
expect settled
pay 3.01 CNY to "Tea House" for "a biscuit"
expect waiting "press" tell "That would be more than 13.00 CNY together: {}."
shake
expect refused
pay 2 CNY to "Tea House" for "a smaller biscuit"
expect settled tell "What was not paid does not count, and so this is settled: {}."
pay 0.01 CNY to "Tea House" for "a crumb"
expect waiting "press" tell "It would be the fourth: {}."
press
expect settled

say "The press was Mei's: the count begins anew."
pay 5.01 CNY to "Tea House" for "a large tea"
expect waiting "press" tell "One alone may not be of more than 5.00 CNY: {}."
press
expect settled
pay 5 CNY to "Tea House" for "tea"
expect settled

say "Not worn, nothing is free:"
take off
pay 1 CNY to "Tea House" for "a straw"
expect refused "not worn"
expect books Mei 27.98 CNY, "Tea House" 22.02 CNY
issuer: audit
