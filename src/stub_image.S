/* The linked stub, as bytes of the daemon: STUB is its path. */
	.section .rodata
	.global	stub_image, stub_image_end
	.balign	16
stub_image:
	.incbin	STUB
stub_image_end:
	.byte	0
	.section .note.GNU-stack, "", %progbits
