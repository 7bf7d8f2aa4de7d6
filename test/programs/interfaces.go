// Prints the addresses of all interfaces, as Go's package net tells them.
package main

import (
	"fmt"
	"net"
	"os"
)

func main() {
	interfaces, err := net.Interfaces()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for _, each := range interfaces {
		fmt.Println(each.Name, "index", each.Index, "mtu", each.MTU, each.HardwareAddr)
		addresses, err := each.Addrs()
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		for _, address := range addresses {
			fmt.Println(each.Name, address)
		}
	}
	all, err := net.InterfaceAddrs()
	fmt.Println(len(all), "addresses", err)
}
