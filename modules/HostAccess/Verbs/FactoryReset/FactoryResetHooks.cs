using System.Collections.Immutable;
using EdgeDm.Contracts;
using EdgeDm.HostAccess.Configuration;

namespace EdgeDm.HostAccess.Verbs.FactoryReset;

/// <summary>
/// The OEM's programs that erase what a factory reset shall erase, in a folder beside host-access.json. They are run in the order of
/// their names.
/// </summary>
internal sealed class FactoryResetHooks(FactoryResetOptions options)
{
    /// <summary>Most hooks.</summary>
    public const int Most = 32;

    private const int LongestName = 64;
    private const UnixFileMode OthersMayWrite = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;

    /// <summary>Names of the hooks, in order. Throws when there is none, or one that must not be run: then nothing is.</summary>
    public ImmutableArray<string> Read()
    {
        if (!Directory.Exists(options.Hooks))
        {
            throw NotSupported($"The folder '{options.Hooks}' does not exist.");
        }
        RequireOwnersOnly(options.Hooks, File.GetUnixFileMode(options.Hooks));
        var hooks = new DirectoryInfo(options.Hooks).EnumerateFileSystemInfos().Take(Most + 1).ToList();
        if (hooks.Count > Most)
        {
            throw NotSupported($"The folder '{options.Hooks}' has more than {Most} entries.");
        }
        hooks.ForEach(Check);
        return hooks.Count > 0
            ? [.. hooks.Select(hook => hook.Name).Order(StringComparer.Ordinal)]
            : throw NotSupported($"The folder '{options.Hooks}' has no hook.");
    }

    /// <summary>A hook's file; throws when it is gone or has become one that must not be run.</summary>
    public string PathOf(string name)
    {
        var hook = new FileInfo(Path.Combine(options.Hooks, name));
        if (!hook.Exists)
        {
            throw NotSupported($"The hook '{name}' is gone.");
        }
        Check(hook);
        return hook.FullName;
    }

    private static void Check(FileSystemInfo hook)
    {
        if (!hook.Name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_') || hook.Name.Length > LongestName)
        {
            throw NotSupported(
                $"The hook '{hook.Name}' must have a name of 1 to {LongestName} letters, digits, '-' and '_'."
            );
        }
        if (hook is not FileInfo || hook.LinkTarget is not null || !hook.UnixFileMode.HasFlag(UnixFileMode.UserExecute))
        {
            throw NotSupported($"The hook '{hook.Name}' must be a regular, executable file.");
        }
        RequireOwnersOnly(hook.Name, hook.UnixFileMode);
    }

    private static void RequireOwnersOnly(string name, UnixFileMode mode)
    {
        if ((mode & OthersMayWrite) != UnixFileMode.None)
        {
            throw NotSupported($"'{name}' may be written by others than its owner.");
        }
    }

    private static EdgeDmException NotSupported(string what) =>
        ErrorRegistry.NotSupportedOnHost.Refusal(FactoryResetVerb.Name, what);
}
