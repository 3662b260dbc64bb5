# A script for gnuplot that draws results.json: a panel for each comparison,
# a row for each contestant.  jq -r -f plot.jq results.json | gnuplot >x.svg

def unit: if .unit == "us" then "µs" else .unit end;

# As much of the height as its rows take, and three for what is around them.
def space: (.series | length) + 3;

def panel($below; $all):
	(.series | to_entries | reverse) as $rows | ($rows | length) as $n |
	"set origin 0, \($below / $all)",
	"set size 1, \(space / $all)",
	"set title \(.title + ", " + unit | @json) offset character -18, 0",
	"set yrange [-0.6:\($n - 0.4)]",
	"set ytics (\([range($n) as $i | "\($rows[$i].value.label | @json) \($i)"]
	    | join(", ")))",
	"plot '-' using 2:1:3:4 with xerrorbars ls 1, " +
	    "'-' using 2:1:3:4 with xerrorbars ls 2, " +
	    "'-' using 2:1 with points ls 3",
	(range($n) as $i | $rows[$i].value | "\($i) \(.p50) \(.p25) \(.p75)"),
	"e",
	(range($n) as $i | $rows[$i].value |
	    "\($i) \(.p50) \(.p50_ci95[0]) \(.p50_ci95[1])"),
	"e",
	(range($n) as $i | $rows[$i].value | "\($i) \(.p99)"),
	"e";

[.comparisons | .whole, .trigger, .arm_server, .arm, .utility,
    .growth_trigger, .growth_arm, .change_trigger, .change_arm, .burst | select(. != null)] as $panels |
([$panels[] | space] | add // 1) as $all |
"set terminal svg size 900, \(22 * $all + 40) font 'sans-serif,12' " +
    "background 'white'",
"set multiplot title " + ("median with the middle half of the samples " +
    "(thin) and its 95% interval (thick); cross: p99" | @json) +
    " font ',11'",
"set key off",
"set border 3",
"set grid xtics lc rgb '#dddddd'",
"set logscale x",
"set lmargin at screen 0.38",
"set rmargin at screen 0.96",
"set style line 1 lc rgb '#557799' lw 1 pt 7 ps 0.4",
"set style line 2 lc rgb '#003366' lw 3 pt 7 ps 0.6",
"set style line 3 lc rgb '#cc5533' lw 1 pt 2 ps 0.6",
(range($panels | length) as $i |
    ([$panels[$i + 1:][] | space] | add // 0) as $below |
    $panels[$i] | panel($below; $all + 1))
