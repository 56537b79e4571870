using System.Net.Sockets;
using Microsoft.Data.Sqlite;
using Npgsql;
using RenderFarm.Jobs.Persistence;

namespace RenderFarm.Jobs.Tests.Persistence;

public sealed class StoreFaultsTests
{
    [Theory]
    [InlineData("08006")]
    [InlineData("08003")]
    [InlineData("25006")]
    [InlineData("25P03")]
    [InlineData("40001")]
    [InlineData("40P01")]
    [InlineData("53100")]
    [InlineData("53200")]
    [InlineData("53300")]
    [InlineData("55P03")]
    [InlineData("57014")]
    [InlineData("57P01")]
    [InlineData("57P02")]
    [InlineData("57P03")]
    [InlineData("58030")]
    public void IsOutage_PostgresSaysNotNow_IsOne(string state) =>
        Assert.True(StoreFaults.IsOutage(new InvalidOperationException("around it", Said(state))));

    [Theory]
    [InlineData("22001")]
    [InlineData("23505")]
    [InlineData("42601")]
    [InlineData("42P01")]
    [InlineData("25P02")]
    public void IsOutage_PostgresSaysTheStatementIsWrong_IsNone(string state) => Assert.False(StoreFaults.IsOutage(Said(state)));

    [Fact]
    public void IsOutage_CallerHasGone_IsNone() =>
        Assert.False(StoreFaults.IsOutage(new OperationCanceledException("cancelled", Said("57014"))));

    [Fact]
    public void IsOutage_ConnectionLost_IsOne() =>
        Assert.All(
            (Exception[])
                [
                    new NpgsqlException("broken", new EndOfStreamException()),
                    new NpgsqlException("pool", new TimeoutException()),
                    new SocketException((int)SocketError.ConnectionRefused),
                    new SqliteException("busy", 5),
                    new SqliteException("full", 13),
                    new SqliteException("read-only", 8),
                ],
            fault => Assert.True(StoreFaults.IsOutage(fault), fault.Message)
        );

    [Fact]
    public void CondemnsConnections_FrozenOrReadOnly_DoesAndALockDoesNot()
    {
        Assert.True(StoreFaults.CondemnsConnections(new NpgsqlException("late", new TimeoutException())));
        Assert.True(StoreFaults.CondemnsConnections(Said("25006")));
        Assert.False(StoreFaults.CondemnsConnections(Said("55P03")));
    }

    private static PostgresException Said(string state) => new("as the server says it", "ERROR", "ERROR", state);
}
