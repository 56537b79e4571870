using RenderFarm.Hosting.Loops;

namespace RenderFarm.Api.Messaging;

/// <summary>The broker is not there, does not take what it is given, or has closed the channel.</summary>
internal sealed class BrokerAwayException(string message, Exception? inner = null) : Exception(message, inner), IOutage
{
    public string Cause => Message;
}
