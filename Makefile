# The two commands of the README for those who like make; the work is in scripts/.
.PHONY: run test fast bench lock
run:
	python3 scripts/run.py
test:
	python3 scripts/test.py
fast:
	python3 scripts/test.py --fast
bench:
	python3 scripts/bench.py
lock:
	python3 scripts/lock.py
