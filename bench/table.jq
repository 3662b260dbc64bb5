# The tables of README.md, from results.json: jq -r -f table.jq results.json

def digits: if . >= 100 then . + 0.5 | floor
	elif . >= 10 then . * 10 + 0.5 | floor / 10
	else . * 100 + 0.5 | floor / 100 end;
def words: digits | tostring;
def interval: "\(.[0] | words) to \(.[1] | words)";
def kb: . / 1000 | words | . + " kB";

def comparison:
	"", "**\(.title)**, \(.unit)", "",
	"| | p50 | 95% of it | middle half | p99 | n |",
	"| --- | --- | --- | --- | --- | --- |",
	(.series[] | "| \(.label) | \(.p50 | words) | \(.p50_ci95 | interval) " +
	    "| \(.p25 | words) to \(.p75 | words) | \(.p99 | words) | \(.n) |"),
	(. as $c | if .ratios == [] then empty else
	    "", "| ratio | p50 | 95% of it | p99 | 95% of it |",
	    "| --- | --- | --- | --- | --- |",
	    (.ratios[] | "| \($c.series[.of].label) / " +
		"\($c.series[.to].label) | \(.p50 | words) | " +
		"\(.p50_ci95 | interval) | \(.p99 | words) | " +
		"\(.p99_ci95 | interval) |") end);

"Made on \(.machine.date[:10]) by `\(.machine.command)`: \(.machine.cpu), " +
    "\(.machine.cpus) processors, \(.machine.memory_mb) MB, " +
    "\(.machine.kernel); \(.machine.rounds) rounds, " +
    "\(.machine.quiet_us / 1000) ms of quiet before each sample.",
"", "**Goals**", "",
"| goal | | measured | |", "| --- | --- | --- | --- |",
(.goals[] | "| \(.text) | at \(.bound) \(.limit | words) | " +
    "\(.value | words) | \(if .held then "held" else "missed" end) |"),
(.comparisons[] | comparison),
(if .size then .size |
    "", "**Memory**, for one more of \(.actions) actions", "",
    "| | |", "| --- | --- |",
    "| charged to the jail's memory cgroup for a probe | \(.probe_bytes | kb) |",
    "| the same for a bare pausing process of 528 bytes | \(.bare_bytes | kb) |",
    "| charged to the daemon's for a probe: its program, the stack that its " +
    "stub had, descriptors | \(.beside_bytes | kb) |",
    "| the daemon's own memory, of which \(.text_bytes | words) bytes are " +
    "text | \(.daemon_bytes | words) bytes |",
    "| the daemon, resident, with 100 actions | \(.resident_bytes | kb) |",
    "| the stub's program | \(.stub_bytes | kb) |"
    else empty end),
(if .idle then .idle |
    "", "An idle daemon with \(.actions) actions woke up \(.wakeups) times " +
    "in \(.seconds) s; another one made \(.calls) system calls " +
    "(`strace -c`)." else empty end)
