/* SPDX-License-Identifier: MIT */
/* fd.h - descriptors of our own that the guest must not close or overwrite */
#ifndef SYSCALL_FD_H
#define SYSCALL_FD_H

/* Moves fd out of the guest's way (high, close-on-exec) and remembers it; the new number, or fd
 * itself if no better one is free. */
int fd_hide(int fd);
int fd_hidden(int fd);
int fd_note(int fd);                   /* remembers it where it is; returns it */
/* Forgets and closes a hidden descriptor. */
void fd_drop(int fd);

#endif
