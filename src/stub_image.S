/* The linked stub, as bytes of the daemon: STUB is its path. */
	.section .rodata
	.global	stub_image, stub_image_end
	.balign	16
stub_image:
	.incbin	STUB
stub_image_end:
	.byte	0
	.section .note.GNU-stack, "", %progbits

/* Says, as compiled files do, that branch protection is not broken here. */
#if defined(__CET__)
#include <cet.h>
#elif defined(__ARM_FEATURE_BTI_DEFAULT) || defined(__ARM_FEATURE_PAC_DEFAULT)
	.section .note.gnu.property, "a", %note
	.balign	8
	.word	4, 16, 5
	.asciz	"GNU"
	.word	0xc0000000, 4, 3, 0
#endif
