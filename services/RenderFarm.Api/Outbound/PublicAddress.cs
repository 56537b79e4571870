using System.Net;
using System.Net.Sockets;

namespace RenderFarm.Api.Outbound;

/// <summary>Which addresses are out on the internet: everything that the registries have not set aside for something else.</summary>
internal static class PublicAddress
{
    private static readonly IPNetwork[] Reserved4 =
    [
        IPNetwork.Parse("0.0.0.0/8"), // This host
        IPNetwork.Parse("10.0.0.0/8"),
        IPNetwork.Parse("100.64.0.0/10"), // Carriers
        IPNetwork.Parse("127.0.0.0/8"),
        IPNetwork.Parse("169.254.0.0/16"), // link-local, and the metadata services of clouds
        IPNetwork.Parse("172.16.0.0/12"),
        IPNetwork.Parse("192.0.0.0/24"),
        IPNetwork.Parse("192.0.2.0/24"), // Documentation
        IPNetwork.Parse("192.88.99.0/24"), // 6to4 relays
        IPNetwork.Parse("192.168.0.0/16"),
        IPNetwork.Parse("198.18.0.0/15"), // Benchmarks
        IPNetwork.Parse("198.51.100.0/24"),
        IPNetwork.Parse("203.0.113.0/24"),
        IPNetwork.Parse("224.0.0.0/3"), // Multicast, reserved, broadcast
    ];

    /// <summary>The only part of IPv6 in which hosts are reached from everywhere.</summary>
    private static readonly IPNetwork GlobalUnicast = IPNetwork.Parse("2000::/3");

    private static readonly IPNetwork[] Reserved6 =
    [
        IPNetwork.Parse("2001::/23"), // Teredo, benchmarks, ORCHID
        IPNetwork.Parse("2001:db8::/32"), // Documentation
        IPNetwork.Parse("2002::/16"), // 6to4: carries any IPv4 address
        IPNetwork.Parse("3fff::/20"), // Documentation
    ];

    /// <summary>Hosts of IPv4 as an IPv6-only network sees them.</summary>
    private static readonly IPNetwork Nat64 = IPNetwork.Parse("64:ff9b::/96");

    public static bool Is(IPAddress address)
    {
        address = Unwrapped(address);
        return address.AddressFamily == AddressFamily.InterNetwork
            ? !Reserved4.Any(network => network.Contains(address))
            : GlobalUnicast.Contains(address) && !Reserved6.Any(network => network.Contains(address));
    }

    /// <summary>The IPv4 address inside <c>::ffff:a.b.c.d</c> and <c>64:ff9b::a.b.c.d</c>; any other address as it is.</summary>
    public static IPAddress Unwrapped(IPAddress address) =>
        address.IsIPv4MappedToIPv6 ? address.MapToIPv4()
        : address.AddressFamily == AddressFamily.InterNetworkV6 && Nat64.Contains(address)
            ? new IPAddress(address.GetAddressBytes().AsSpan(12))
        : address;
}
