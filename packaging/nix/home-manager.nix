# A module of home-manager that writes manifests. packaging/try-recipes looks at what it writes.
#
# A manifest is linked from the store, so sesame cannot edit it: `sesame extension grant` says so, and
# grants are changed here. Each needs a pinned reference. `sesame extension sync` installs them.
self:
{ config, lib, pkgs, ... }:
let
  cfg = config.programs.sesame;
  toml = pkgs.formats.toml { };
in
{
  options.programs.sesame = {
    enable = lib.mkEnableOption "sesame, extensions of the desktop session";
    package = lib.mkOption {
      type = lib.types.package;
      default = self.packages.${pkgs.stdenv.hostPlatform.system}.default;
      description = "The package of sesame.";
    };
    settings = lib.mkOption {
      type = toml.type;
      default = { };
      description = "The contents of ~/.config/pds/config.toml.";
    };
    extensions = lib.mkOption {
      type = lib.types.attrsOf toml.type;
      default = { };
      description = "Manifests by name: ~/.config/pds/extensions/NAME.toml.";
      example = {
        greeting-extension = {
          extension.oci = "ghcr.io/my-org/greeting-extension:0.1.0@sha256:...";
          capabilities.config-read = true;
          config.greeting.template = "Hello, {}!";
        };
      };
    };
    refresh = lib.mkEnableOption "the daily update of extensions";
  };

  config = lib.mkIf cfg.enable {
    home.packages = [ cfg.package ];
    xdg.configFile =
      lib.mapAttrs' (name: manifest: {
        name = "pds/extensions/${name}.toml";
        value.source = toml.generate "${name}.toml" (lib.recursiveUpdate { extension.name = name; } manifest);
      }) cfg.extensions
      // lib.optionalAttrs (cfg.settings != { }) {
        "pds/config.toml".source = toml.generate "config.toml" cfg.settings;
      };
    systemd.user.timers.sesame-refresh = lib.mkIf cfg.refresh {
      Unit.Description = "Update the extensions of sesame once a day";
      Timer = {
        OnCalendar = "daily";
        RandomizedDelaySec = "2h";
        Persistent = true;
      };
      Install.WantedBy = [ "timers.target" ];
    };
    systemd.user.services.sesame-refresh = lib.mkIf cfg.refresh {
      Unit.Description = "Update the extensions of sesame";
      Service = {
        Type = "oneshot";
        ExecStart = "${cfg.package}/bin/sesame update --all";
        NoNewPrivileges = true;
      };
    };
  };
}
