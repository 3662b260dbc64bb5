/* Where things are, where no option says otherwise. */
#ifndef PATHS_H
#define PATHS_H

#define PATHS_SOCKET	"/var/run/jaildaemon.pipe"
#define PATHS_PIDFILE	"/var/run/jaildaemon.pid"
#ifdef __linux__
#define PATHS_STATEDIR	"/var/lib/jaildaemon"
#else
#define PATHS_STATEDIR	"/var/db/jaildaemon"
#endif

#endif
