title "Pairing by a printed label, which is worth less"
open "Tea House"
enter Mei with a band with a label and 100 CNY
Mei: pair by press
expect refused tell "A band with a label does not do without it: {}."
connect
expect refused "not paired"
pair by label
connect
expect reconnected
enrol
put on
unlock
say "Whoever saw the label before has the secret as well. So the issuer allows less than after a comparison:"
pay 10.01 CNY to "Tea House" for "a cup"
expect waiting "unlocked"
unlock
press
expect settled
pay 20.01 CNY to "Tea House" for "two cups"
expect refused "above the limit"

say "The same band can do better, and then may do more:"
hang up
take a new phone
pair by code
connect
enrol
pay 20.01 CNY to "Tea House" for "two cups"
press
expect settled
expect books Mei 69.98 CNY, "Tea House" 30.02 CNY
