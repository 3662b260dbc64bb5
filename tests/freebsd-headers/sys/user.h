struct kinfo_proc {
	int	ki_jid;
};
