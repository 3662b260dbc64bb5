#include <sys/time.h>
#include <stdint.h>

struct kinfo_proc {
	pid_t	ki_ppid;
	int	ki_jid;
	pid_t	ki_pid;
	pid_t	ki_sid;
	char	ki_comm[20];
	struct timeval ki_start;
};

#define KF_TYPE_VNODE	1

struct kinfo_file {
	int	kf_type;
	int	kf_fd;
	union {
		struct {
			uint64_t	kf_file_fsid;
			uint64_t	kf_file_fileid;
		} kf_file;
	} kf_un;
};
