title "What the credential allows: 200.00 CNY a payment, 50.00 CNY with a press alone"
open "Tea House"
enter Mei with a band and 1000 CNY
Mei: set up
pay 50 CNY to "Tea House" for "a teapot"
press
expect settled

pay 50.01 CNY to "Tea House" for "a better teapot"
expect waiting "unlocked"
press
expect waiting "unlocked" tell "A press does not do: {}."
unlock
press
expect settled

pay 200 CNY to "Tea House" for "a tea set"
unlock
press
expect settled
pay 200.01 CNY to "Tea House" for "a better tea set"
expect refused "above the limit"
expect books Mei 699.99 CNY, "Tea House" 300.01 CNY
