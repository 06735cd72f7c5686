import Guest
