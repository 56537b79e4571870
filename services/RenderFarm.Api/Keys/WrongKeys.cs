using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Options;
using RenderFarm.Hosting.Settings;

namespace RenderFarm.Api.Keys;

/// <summary>
/// Wrong keys by the address that sent them. Beyond so many a minute an address is looked up no further, but for keys that this
/// process knows already: who shares an address with a guesser works on. One line a minute tells of all of them.
/// </summary>
internal sealed partial class WrongKeys(IOptions<KeysOptions> options, TimeProvider time, ILogger<WrongKeys> logger)
{
    private const int MostAddresses = 10_000;
    private static readonly TimeSpan LineEvery = TimeSpan.FromMinutes(1);
    private readonly ConcurrentDictionary<IPAddress, Bucket> _addresses = [];
    private readonly Lock _gate = new();
    private long _lastLine;
    private int _untold;

    /// <summary>Null: go ahead.</summary>
    public Admission? RefusalOf(IPAddress? address) =>
        options.Value.WrongKeysPerMinute is > 0 and var most
        && address is not null
        && _addresses.TryGetValue(Host(address), out var bucket)
        && bucket.Peek(most) is { Admitted: false } refusal
            ? refusal
            : null;

    /// <summary>A key that nobody has came from there.</summary>
    public void Note(IPAddress? address)
    {
        if (options.Value.WrongKeysPerMinute is > 0 and var most && address is not null)
        {
            if (_addresses.Count >= MostAddresses)
            {
                Forget(most);
            }

            _addresses.GetOrAdd(Host(address), _ => new Bucket(time)).Take(most);
        }

        int told;
        lock (_gate)
        {
            _untold++;
            if (_lastLine != 0 && time.GetElapsedTime(_lastLine) < LineEvery)
            {
                return;
            }

            (_lastLine, told, _untold) = (time.GetTimestamp(), _untold, 0);
        }

        LogWrong(told, address);
    }

    /// <summary>Addresses that have been quiet for a while are as good as new ones.</summary>
    private void Forget(int most)
    {
        foreach (var (address, bucket) in _addresses)
        {
            if (bucket.Peek(most).Remaining == most)
            {
                _addresses.TryRemove(address, out _);
            }
        }

        if (_addresses.Count >= MostAddresses)
        {
            _addresses.Clear();
        }
    }

    /// <summary>A host of IPv6 has a whole /64 to send from.</summary>
    private static IPAddress Host(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
        {
            return address.MapToIPv4();
        }

        return address.AddressFamily == AddressFamily.InterNetworkV6
            ? new IPAddress([.. address.GetAddressBytes().Take(8), .. new byte[8]])
            : address;
    }

    [LoggerMessage(
        EventId = 701,
        Level = LogLevel.Warning,
        Message = "{Count} requests with unknown or revoked API keys since the last such line; the newest came from {Address}"
    )]
    private partial void LogWrong(int count, IPAddress? address);
}
