title "Nobody presses"
open "Tea House"
enter Mei with a band and 50 CNY
Mei: set up
pay 5 CNY to "Tea House" for "tea"
shake
expect refused "the gesture was not made" tell "She shakes her head, as it were: {}."
pay 5 CNY to "Tea House" for "tea"
wait 31 s
press
expect refused "the gesture was not made" tell "After half a minute a press is too late: {}."
expect books Mei 50 CNY, "Tea House" 0 CNY
