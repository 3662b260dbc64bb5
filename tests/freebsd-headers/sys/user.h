struct kinfo_proc {
	int	ki_jid;
	char	ki_comm[20];
};
