/*
 * Runs a fuzzer's target over the files that are named, without a fuzzer:
 * so the corpus, and what was once found, is a test everywhere.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define INPUT_MAX	(1024 * 1024)

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
main(int argc, char **argv)
{
	static uint8_t input[INPUT_MAX];

	printf("1..%d\n", argc - 1);
	for (int i = 1; i < argc; i++) {
		FILE *fp = fopen(argv[i], "rb");
		size_t len = 0;

		if (fp != NULL) {
			len = fread(input, 1, sizeof(input), fp);
			fclose(fp);
		}
		if (fp != NULL)
			LLVMFuzzerTestOneInput(input, len);
		printf("%sok %d - %s\n", fp == NULL ? "not " : "", i, argv[i]);
		fflush(stdout);
	}
	return (argc > 1 ? EXIT_SUCCESS : EXIT_FAILURE);
}
