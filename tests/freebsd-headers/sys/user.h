struct kinfo_proc {
	pid_t	ki_ppid;
	int	ki_jid;
	char	ki_comm[20];
};
