/** Prints the addresses of all interfaces, as java.net.NetworkInterface tells them. */
import java.net.InterfaceAddress;
import java.net.NetworkInterface;
import java.util.Collections;

public class Interfaces {
    public static void main(String[] words) throws Exception {
        for (NetworkInterface each : Collections.list(NetworkInterface.getNetworkInterfaces())) {
            System.out.println(
                each.getName() + " index " + each.getIndex() + " mtu " + each.getMTU()
                    + (each.isUp() ? " up" : "") + (each.isLoopback() ? " loopback" : ""));
            for (InterfaceAddress address : each.getInterfaceAddresses()) {
                System.out.println(each.getName() + " " + address.getAddress().getHostAddress()
                    + "/" + address.getNetworkPrefixLength());
            }
        }
    }
}
