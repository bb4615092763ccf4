title "A phone can unlock the band, and that is worth less"
open "Tea House"
enter Mei with a band and 100 CNY
Mei: set up
take off
unlock by the phone
expect refused "not worn"
wait 3 s
put on
pay 5 CNY to "Tea House" for "tea"
expect refused "locked"
unlock by the phone
go on
press
expect settled tell "Mei's finger on her phone unlocked the band: {}."
pay 51 CNY to "Tea House" for "a teapot"
expect waiting "unlocked"
unlock by the phone
press
expect waiting "unlocked" tell "For a large amount, the phone's word does not do: {}."
unlock
press
expect settled tell "Her pattern on the band does: {}."
expect books Mei 44 CNY, "Tea House" 56 CNY
